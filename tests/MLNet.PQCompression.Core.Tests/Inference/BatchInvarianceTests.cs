using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class BatchInvarianceTests
{
    private readonly Random _random = new(5);

    [Theory]
    [InlineData(16, 28, 3, 16)]
    [InlineData(64, 14, 3, 64)]
    [InlineData(128, 7, 3, 128)]
    [InlineData(128, 7, 1, 2048)]
    public void An_image_has_the_same_bits_in_any_batch_where_that_is_asked_for(int channels, int side, int kernel, int outputs)
    {
        Dictionary<string, Initializer> weights = new()
        {
            ["a.weight"] = Quantized(new(channels, channels, 3, 3), 9),
            ["b.weight"] = Quantized(new(outputs, channels, kernel, kernel), kernel == 3 ? 9 : 8),
        };
        Node[] nodes =
        [
            new("a", new Conv(Window.Square(3, pad: 1)), ["x", "a.weight"], "p"),
            new("relu", new Unary(UnaryFunction.Relu), ["p"], "q"),
            new("b", new Conv(Window.Square(kernel, pad: kernel / 2)), ["q", "b.weight"], "y"),
        ];
        AssertInvariant(new("convolutions", new("x", new(-1, channels, side, side)), [new("y", new(-1, outputs, side, side))], [.. nodes], weights));
    }

    [Fact]
    public void A_classifier_gives_an_image_the_same_bits_in_any_batch_where_that_is_asked_for()
    {
        Dictionary<string, Initializer> weights = new() { ["weight"] = Quantized(new(40, 64), 4) };
        Node[] nodes = [new("flat", new Flatten(), ["x"], "v"), new("linear", new Gemm(TransposeB: true), ["v", "weight"], "y")];
        AssertInvariant(new("classifier", new("x", new(-1, 64, 1, 1)), [new("y", new(-1, 40))], [.. nodes], weights));
    }

    private void AssertInvariant(ModelGraph graph)
    {
        using var session = new InferenceSession(graph, new() { BatchInvariant = true, Threads = 2 });
        int length = (int)session.InputShape.Count, outputs = session.OutputLength;
        float[] images = Values(8 * length), together = new float[8 * outputs], alone = new float[outputs];
        session.Run(images, 8, together);
        for (int i = 0; i < 8; i++)
        {
            session.Run(images.AsSpan(i * length, length), 1, alone);
            Assert.Equal(alone, together[(i * outputs)..((i + 1) * outputs)]);
        }
    }

    private float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(_random.NextDouble() - 0.5))];

    private QuantizedTensor Quantized(TensorShape shape, int blockSize) =>
        new(shape, blockSize, Values(256 * blockSize), [.. Enumerable.Range(0, (int)(shape.Count / blockSize)).Select(_ => (ushort)_random.Next(256))]);
}
