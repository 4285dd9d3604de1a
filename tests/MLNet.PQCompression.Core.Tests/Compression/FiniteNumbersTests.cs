using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>NaN, infinity and numbers beyond the range of float32 or float16: an exception that names the place, never a model.</summary>
public sealed class FiniteNumbersTests
{
    public static TheoryData<CompressionMethod, string, float> BadInitializers
    {
        get
        {
            var data = new TheoryData<CompressionMethod, string, float>();
            foreach (CompressionMethod method in Enum.GetValues<CompressionMethod>())
                foreach (string name in (string[])["conv1.weight", "block.conv2.bn.weight", "block.conv2.bn.bias", "block.conv1.bn.mean", "conv1.bn.variance", "fc.weight", "fc.bias"])
                    data.Add(method, name, name.Length % 2 == 0 ? float.NaN : float.PositiveInfinity);
            data.Add(CompressionMethod.Output, "block.conv1.bn.variance", -0.5f);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadInitializers))]
    public void A_bad_initializer_is_named(CompressionMethod method, string name, float value)
    {
        ModelGraph teacher = With(TestNetworks.Residual(), name, v => v[^1] = value);
        Assert.Contains($"'{name}'", Assert.Throws<InvalidModelException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(10), new() { Method = method })).Message);
        Assert.Contains($"'{name}'", Assert.Throws<InvalidModelException>(() => new InferenceSession(teacher)).Message);
        Assert.Contains($"'{name}'", Assert.Throws<InvalidModelException>(() => OnnxWriter.Write(teacher, Stream.Null)).Message);
    }

    [Fact]
    public void A_bad_codebook_is_named()
    {
        ModelGraph teacher = TestNetworks.Residual();
        float[] codebook = [.. Enumerable.Repeat(1f, 17), float.NegativeInfinity];
        ModelGraph student = teacher.WithInitializers([new("block.conv1.weight", new QuantizedTensor(new(16, 16, 3, 3), 9, codebook, new ushort[256]))]);
        string message = Assert.Throws<InvalidModelException>(() => new InferenceSession(student)).Message;
        Assert.Contains("block.conv1.weight", message);
        Assert.Contains("codebook index 17", message);
    }

    [Theory]
    [InlineData(CompressionMethod.Output)]
    [InlineData(CompressionMethod.Plain)]
    public void A_bad_image_is_named(CompressionMethod method)
    {
        var images = new Spoilt(float.NaN);
        Assert.Contains("'image 5'", Assert.Throws<InvalidDataException>(() => ModelCompressor.Compress(TestNetworks.Residual(), images, new() { Method = method })).Message);
        using var session = new InferenceSession(TestNetworks.Residual());
        SampleBatch batch = images.Read(8).First();
        Assert.Contains("image 6 of the 8", Assert.Throws<InvalidModelException>(() => session.Run(batch.Data.Span, 8, new float[8 * 12])).Message);
    }

    [Theory]
    [InlineData(CompressionMethod.Output)]
    [InlineData(CompressionMethod.Paper)]
    [InlineData(CompressionMethod.Plain)]
    public void The_layer_where_activations_overflow_is_named(CompressionMethod method)
    {
        ModelGraph teacher = TestNetworks.Residual();
        foreach (string name in (string[])["block.conv1.bn.weight", "block.conv2.bn.weight"])
            teacher = With(teacher, name, v => System.Numerics.Tensors.TensorPrimitives.Multiply(v, 1e25f, v));
        string message = Assert.Throws<InvalidModelException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(10), new() { Method = method })).Message;
        Assert.Contains("'block.conv2.bn'", message);
        using var session = new InferenceSession(teacher);
        float[] scores = new float[12], image = new TestNetworks.Images(1).Read(1).Single().Data.ToArray();
        Assert.Contains("'block.conv2.bn'", Assert.Throws<InvalidModelException>(() => session.Run(image, 1, scores)).Message);
        using var unchecked_ = new InferenceSession(teacher, new() { RequireFinite = false });
        unchecked_.Run(image, 1, scores);
        Assert.Contains(scores, s => !float.IsFinite(s));
    }

    [Fact]
    public void An_overflow_behind_the_last_quantized_layer_is_found()
    {
        ModelGraph teacher = With(TestNetworks.Residual(), "fc.weight", v => v.Fill(float.MaxValue));
        Assert.Contains("'fc'", Assert.Throws<InvalidModelException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(10), new() { Overrides = [new("fc", Skip: true)] })).Message);
    }

    [Theory]
    [InlineData(1e8f)]
    [InlineData(1e-9f)]
    public void Codewords_out_of_the_range_of_float16_are_refused_by_name_or_absorbed(float size)
    {
        ModelGraph teacher = TestNetworks.Residual();
        teacher = With(teacher, "block.conv1.weight", v => System.Numerics.Tensors.TensorPrimitives.Multiply(v, size, v));
        teacher = With(teacher, "block.conv1.bn.mean", v => System.Numerics.Tensors.TensorPrimitives.Multiply(v, size, v));
        teacher = With(teacher, "block.conv1.bn.variance", v => System.Numerics.Tensors.TensorPrimitives.Multiply(v, size > 1 ? size * size : 1, v));
        foreach (CompressionMethod method in (CompressionMethod[])[CompressionMethod.Paper, CompressionMethod.Plain])
            Assert.Contains("'block.conv1.weight'", Assert.Throws<InvalidModelException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(60), new() { Method = method })).Message);
        CompressionResult result = ModelCompressor.Compress(teacher, new TestNetworks.Images(60));
        LayerReport layer = result.Report.Layers.Single(l => l.Plan.Weight == "block.conv1.weight");
        Assert.InRange(layer.RelativeError!.Value, 0.001, 0.9);
        Assert.InRange(((QuantizedTensor)result.Student.Initializers["block.conv1.weight"]).Codebook.ToArray().Max(MathF.Abs), 1e-3f, 1e3f);
    }

    private static ModelGraph With(ModelGraph graph, string name, SpanAction change)
    {
        float[] values = graph.Initializers[name].ToDense().ToArray();
        change(values);
        return graph.WithInitializers([new(name, new DenseTensor(graph.Initializers[name].Shape, values))]);
    }

    private delegate void SpanAction(Span<float> values);

    /// <summary>Images of which the sixth holds a value that is none.</summary>
    private sealed class Spoilt(float value) : ISampleSource
    {
        private readonly TestNetworks.Images _images = new(20);

        public int Channels => 3;

        public int Height => 8;

        public int Width => 8;

        public int? Count => 20;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
        {
            int first = 0;
            foreach (SampleBatch batch in _images.Read(batchSize, cancellationToken))
            {
                float[] data = batch.Data.ToArray();
                if (first <= 5 && first + batch.Count > 5)
                    data[(5 - first) * 192 + 100] = value;
                first += batch.Count;
                yield return batch with { Data = data };
            }
        }
    }
}
