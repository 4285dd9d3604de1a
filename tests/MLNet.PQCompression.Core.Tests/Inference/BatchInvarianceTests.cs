using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class BatchInvarianceTests
{
    [Theory]
    [InlineData(16, 28)]
    [InlineData(64, 14)]
    [InlineData(128, 7)]
    public void An_image_has_the_same_bits_in_any_batch_where_that_is_asked_for(int channels, int side)
    {
        var random = new Random(5);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        Dictionary<string, Initializer> weights = new() { ["a.weight"] = Quantized("a"), ["b.weight"] = Quantized("b") };
        Node[] nodes =
        [
            new("a", new Conv(Window.Square(3, pad: 1)), ["x", "a.weight"], "p"),
            new("relu", new Unary(UnaryFunction.Relu), ["p"], "q"),
            new("b", new Conv(Window.Square(3, pad: 1)), ["q", "b.weight"], "y"),
        ];
        var graph = new ModelGraph("convolutions", new("x", new(-1, channels, side, side)), [new("y", new(-1, channels, side, side))], [.. nodes], weights);
        using var session = new InferenceSession(graph, new() { BatchInvariant = true, Threads = 2 });
        int length = channels * side * side;
        float[] images = Values(8 * length), together = new float[8 * length], alone = new float[length];
        session.Run(images, 8, together);
        for (int i = 0; i < 8; i++)
        {
            session.Run(images.AsSpan(i * length, length), 1, alone);
            Assert.Equal(alone, together[(i * length)..((i + 1) * length)]);
        }

        QuantizedTensor Quantized(string name) =>
            new(new(channels, channels, 3, 3), 9, Values(256 * 9), [.. Enumerable.Range(0, channels * channels).Select(i => (ushort)random.Next(name.Length + 255))]);
    }
}
