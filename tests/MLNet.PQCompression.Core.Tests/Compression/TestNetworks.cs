using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>Small networks and images made from a seed.</summary>
internal static class TestNetworks
{
    /// <summary>conv-bn-relu, a residual block, pooling and a classifier stored [n, classes] as MatMul takes it.</summary>
    public static ModelGraph Residual(int width = 16, int classes = 12, int seed = 1)
    {
        var random = new Random(seed);
        var initializers = new Dictionary<string, Initializer>();
        var nodes = new List<Node>();
        string Conv(string name, string input, int channels, int inputs)
        {
            initializers[name + ".weight"] = Random(random, (float)Math.Sqrt(2.0 / (inputs * 9)), channels, inputs, 3, 3);
            nodes.Add(new(name, new Conv(Window.Square(3, 1, 1)), [input, name + ".weight"], name));
            string[] parameters = [.. new[] { "weight", "bias", "mean", "variance" }.Select(p => $"{name}.bn.{p}")];
            initializers[parameters[0]] = Vector(channels, _ => 0.5f + random.NextSingle());
            initializers[parameters[1]] = Vector(channels, _ => random.NextSingle() - 0.5f);
            initializers[parameters[2]] = Vector(channels, _ => (random.NextSingle() - 0.5f) / 4);
            initializers[parameters[3]] = Vector(channels, _ => 0.5f + random.NextSingle());
            nodes.Add(new(name + ".bn", new BatchNormalization(), [name, .. parameters], name + ".bn"));
            return name + ".bn";
        }
        string Relu(string input)
        {
            nodes.Add(new(input + ".relu", new Unary(UnaryFunction.Relu), [input], input + ".relu"));
            return input + ".relu";
        }
        string stem = Relu(Conv("conv1", "x", width, 3));
        string inner = Relu(Conv("block.conv1", stem, width, width));
        string branch = Conv("block.conv2", inner, width, width);
        nodes.Add(new("add", new Binary(BinaryFunction.Add), [branch, stem], "sum"));
        string last = Relu("sum");
        nodes.Add(new("pool", new GlobalAveragePool(), [last], "pooled"));
        nodes.Add(new("flat", new Flatten(), ["pooled"], "features"));
        initializers["fc.weight"] = Random(random, 0.5f, width, classes);
        nodes.Add(new("fc", new MatMul(), ["features", "fc.weight"], "product"));
        initializers["fc.bias"] = Vector(classes, _ => random.NextSingle());
        nodes.Add(new("bias", new Binary(BinaryFunction.Add), ["product", "fc.bias"], "logits"));
        return new("tiny", new("x", new(-1, 3, 8, 8)), [new("logits", new(-1, classes))], [.. nodes], initializers);
    }

    public static DenseTensor Random(Random random, float scale, params int[] shape)
    {
        var tensor = new TensorShape(shape);
        return new(tensor, Enumerable.Range(0, (int)tensor.Count).Select(_ => (random.NextSingle() - 0.5f) * 2 * scale).ToArray());
    }

    public static DenseTensor Vector(int length, Func<int, float> value) => new(new(length), Enumerable.Range(0, length).Select(value).ToArray());

    /// <summary>Smooth random images.</summary>
    public sealed class Images(int count, int channels = 3, int size = 8, int seed = 5) : ISampleSource
    {
        public int Channels => channels;

        public int Height => size;

        public int Width => size;

        public int? Count => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
        {
            var random = new Random(seed);
            for (int start = 0; start < count; start += batchSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int n = Math.Min(batchSize, count - start);
                var data = new float[n * channels * size * size];
                for (int image = 0; image < n * channels; image++)
                {
                    (double a, double b, double c) = (random.NextDouble() * 2, random.NextDouble() * 2, random.NextDouble() * 6);
                    for (int p = 0; p < size * size; p++)
                        data[image * size * size + p] = (float)Math.Sin(a * (p / size) + b * (p % size) + c);
                }
                yield return new(data, n, [.. Enumerable.Range(start, n).Select(i => $"image {i}")], [.. Enumerable.Repeat(-1, n)]);
            }
        }
    }
}
