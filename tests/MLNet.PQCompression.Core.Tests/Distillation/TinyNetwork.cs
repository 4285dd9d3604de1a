using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>A residual network of a few thousand weights, its quantized student, and images.</summary>
internal static class TinyNetwork
{
    public static ModelGraph Teacher { get; } = Build();

    /// <summary>The teacher with its inner convolution quantized by codewords that are off.</summary>
    public static ModelGraph Student { get; } = Quantize(Quantize(Teacher, "conv2.weight", 1), "conv3.weight", 2);

    public static TrainingSet Images(int count = 40, bool labels = false) => TrainingSet.Load(Source(count, labels));

    public static ISampleSource Source(int count = 40, bool labels = false) => new Samples(count, labels);

    private static ModelGraph Build()
    {
        var initializers = new Dictionary<string, Initializer>();
        void Weight(string name, int seed, params int[] shape) =>
            initializers[name] = new DenseTensor(new(shape), GradientCheck.Values((int)new TensorShape(shape).Count, seed, 0.4f));
        void Normalization(string name, int channels, int seed)
        {
            Weight(name + ".weight", seed, channels);
            initializers[name + ".weight"] = new DenseTensor(new(channels), (float[])[.. Enumerable.Range(0, channels).Select(i => 1 + 0.1f * (i % 3))]);
            Weight(name + ".bias", seed + 1, channels);
            initializers[name + ".running_mean"] = new DenseTensor(new(channels), (float[])[.. Enumerable.Repeat(0.05f, channels)]);
            initializers[name + ".running_var"] = new DenseTensor(new(channels), (float[])[.. Enumerable.Repeat(1.1f, channels)]);
        }

        Weight("conv1.weight", 1, 8, 3, 3, 3);
        Weight("conv2.weight", 2, 16, 8, 3, 3);
        Weight("conv3.weight", 3, 16, 16, 3, 3);
        Weight("fc.weight", 4, 5, 16);
        Weight("fc.bias", 5, 5);
        Normalization("bn1", 8, 6);
        Normalization("bn2", 16, 8);
        Normalization("bn3", 16, 10);
        return new(
            "tiny", new("image", new(-1, 3, 12, 12)), [new("logits", new(-1, 5))],
            [
                new("conv1", new Conv(Window.Square(3, 1, 1)), ["image", "conv1.weight"], "a"),
                new("bn1", new BatchNormalization(), ["a", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"], "b"),
                new("relu1", new Unary(UnaryFunction.Relu), ["b"], "c"),
                new("conv2", new Conv(Window.Square(3, 2, 1)), ["c", "conv2.weight"], "d"),
                new("bn2", new BatchNormalization(), ["d", "bn2.weight", "bn2.bias", "bn2.running_mean", "bn2.running_var"], "e"),
                new("relu2", new Unary(UnaryFunction.Relu), ["e"], "f"),
                new("conv3", new Conv(Window.Square(3, 1, 1)), ["f", "conv3.weight"], "g"),
                new("bn3", new BatchNormalization(), ["g", "bn3.weight", "bn3.bias", "bn3.running_mean", "bn3.running_var"], "h"),
                new("add", new Binary(BinaryFunction.Add), ["h", "f"], "i"),
                new("relu3", new Unary(UnaryFunction.Relu), ["i"], "j"),
                new("pool", new GlobalAveragePool(), ["j"], "k"),
                new("flatten", new Flatten(), ["k"], "l"),
                new("fc", new Gemm(TransposeB: true), ["l", "fc.weight", "fc.bias"], "logits"),
            ],
            initializers);
    }

    private static ModelGraph Quantize(ModelGraph graph, string name, int seed)
    {
        Initializer weight = graph.Initializers[name];
        ReadOnlySpan<float> dense = weight.ToDense().Span;
        const int Codewords = 12;
        var random = new Random(seed);
        int blocks = (int)weight.Shape.Count / 9;
        var codes = new ushort[blocks];
        var codebook = new float[Codewords * 9];
        for (int i = 0; i < blocks; i++)
            codes[i] = (ushort)random.Next(Codewords);
        for (int i = 0; i < codebook.Length; i++)
            codebook[i] = (float)(Half)dense[i];
        return graph.WithInitializers([KeyValuePair.Create<string, Initializer>(name, new QuantizedTensor(weight.Shape, 9, codebook, codes))]);
    }

    private sealed class Samples(int count, bool labels) : ISampleSource
    {
        public int Channels => 3;

        public int Height => 12;

        public int Width => 12;

        public int? Count => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
        {
            for (int i = 0; i < count; i += batchSize)
            {
                int n = Math.Min(batchSize, count - i);
                yield return new(
                    GradientCheck.Values(n * 3 * 144, 100 + i), n, [.. Enumerable.Range(i, n).Select(j => $"image {j}")],
                    [.. Enumerable.Range(i, n).Select(j => labels ? j % 5 : -1)]);
            }
        }
    }
}
