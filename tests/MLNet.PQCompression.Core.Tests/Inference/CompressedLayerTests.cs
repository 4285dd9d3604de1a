using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Inference.Plan;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Inference;

/// <summary>Compressed layers by every algorithm and vector width, against the node-by-node evaluation.</summary>
public sealed class CompressedLayerTests
{
    public static TheoryData<int, int, int, int, int, int, int, int> Cases => new()
    {
        // C, C_out, height, width, kernel, stride, block size, codewords
        { 32, 48, 9, 7, 3, 1, 9, 256 },
        { 16, 80, 30, 17, 3, 1, 18, 100 },
        { 32, 48, 14, 14, 3, 2, 9, 256 },
        { 48, 16, 57, 31, 3, 2, 18, 37 },
        { 16, 96, 16, 18, 3, 2, 18, 256 },
        { 16, 16, 1, 2, 3, 2, 9, 4 },
        { 64, 80, 7, 7, 1, 1, 8, 256 },
        { 40, 48, 5, 10, 1, 1, 4, 200 },
        { 64, 32, 9, 13, 1, 2, 8, 64 },
        { 32, 16, 1, 1, 1, 1, 4, 16 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryAlgorithmGivesTheSame(int channels, int outputs, int height, int width, int kernel, int stride, int blockSize, int codewords)
    {
        Window window = Window.Square(kernel, stride, kernel / 2);
        Node[] nodes =
        [
            new("convolution", new Conv(window), ["x", "weight"], "sums"),
            new("addition", new Binary(BinaryFunction.Add), ["sums", "more"], "all"),
            new("relu", new Unary(UnaryFunction.Relu), ["all"], "y"),
        ];
        nodes = [new("other", new Conv(window), ["x", "other.weight"], "more"), .. nodes];
        Dictionary<string, Initializer> weights = new()
        {
            ["weight"] = Quantized(1, new(outputs, channels, kernel, kernel), blockSize, codewords),
            ["other.weight"] = Quantized(2, new(outputs, channels, kernel, kernel), blockSize, codewords),
        };
        AssertEveryAlgorithm(new("layer", new("x", new(-1, channels, height, width)), [new("y", new())], [.. nodes], weights));
    }

    [Theory]
    [InlineData(64, 40, 4, 300)]
    [InlineData(64, 40, 4, 16)]
    [InlineData(48, 17, 8, 256)]
    [InlineData(48, 17, 8, 257)]
    [InlineData(30, 17, 6, 20)]
    public void AFullyConnectedLayerGivesTheSame(int inputs, int outputs, int blockSize, int codewords)
    {
        Dictionary<string, Initializer> weights = new() { ["weight"] = Quantized(3, new(outputs, inputs), blockSize, codewords) };
        Node[] nodes = [new("flat", new Flatten(), ["x"], "v"), new("linear", new Gemm(TransposeB: true), ["v", "weight"], "y")];
        AssertEveryAlgorithm(new("layer", new("x", new(-1, inputs, 1, 1)), [new("y", new())], [.. nodes], weights));
    }

    private static void AssertEveryAlgorithm(ModelGraph graph)
    {
        foreach (int count in new[] { 1, 2, 5 })
        {
            Activation images = OneNode.Random(count, [count, .. graph.Input.Shape.Dimensions.Skip(1)]);
            float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray(), actual = new float[expected.Length];
            double tolerance = 1e-5 * expected.Max(MathF.Abs);
            foreach (SimdLevel level in SimdLevels.Supported)
                foreach (ConvolutionAlgorithm algorithm in Enum.GetValues<ConvolutionAlgorithm>())
                {
                    using var session = new InferenceSession(graph, new() { Threads = 2, Level = level, Algorithm = algorithm });
                    session.Run(images.Span, count, actual);
                    for (int i = 0; i < expected.Length; i++)
                        Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{level} {algorithm}, {count} images: output {i} is {actual[i]}, not {expected[i]}");
                }
        }
    }

    private static QuantizedTensor Quantized(int seed, TensorShape shape, int blockSize, int codewords)
    {
        var random = new Random(seed);
        var codebook = new float[codewords * blockSize];
        foreach (ref float v in codebook.AsSpan())
            v = random.NextSingle() - 0.5f;
        var codes = new ushort[shape.Count / blockSize];
        foreach (ref ushort c in codes.AsSpan())
            c = (ushort)random.Next(codewords);
        return new(shape, blockSize, codebook, codes);
    }
}
