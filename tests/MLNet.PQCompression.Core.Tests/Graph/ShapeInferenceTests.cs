using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Graph;

public sealed class ShapeInferenceTests
{
    private static TensorShape Infer(Operator op, params ReadOnlySpan<TensorShape> inputs) =>
        ShapeInference.OutputShape(new Node("n", op, ["x"], "y"), inputs);

    private static TensorShape S(params ReadOnlySpan<int> dimensions) => new(dimensions);

    [Fact]
    public void Convolution_follows_stride_padding_dilation_and_groups()
    {
        Assert.Equal(S(2, 64, 112, 112), Infer(new Conv(Window.Square(7, 2, 3)), S(2, 3, 224, 224), S(64, 3, 7, 7)));
        Assert.Equal(S(1, 8, 5, 5), Infer(new Conv(Window.Square(3, 1, 0, 2), 4), S(1, 4, 9, 9), S(8, 1, 3, 3)));
        Assert.Equal(S(1, 1, 4, 5), Infer(new Conv(new Window(2, 3, 1, 1, 1, 0, 0, 2)), S(1, 1, 4, 5), S(1, 1, 2, 3)));
    }

    [Theory]
    [InlineData(112, 3, 2, 1, false, 56)]
    [InlineData(7, 3, 2, 0, true, 3)]
    [InlineData(6, 3, 2, 0, true, 3)]
    [InlineData(6, 3, 2, 0, false, 2)]
    [InlineData(5, 2, 2, 1, true, 3)] // the fourth window would start in the end padding
    public void Pooling_rounds_as_asked(int size, int kernel, int stride, int pad, bool ceil, int expected) =>
        Assert.Equal(S(1, 3, expected, expected), Infer(new MaxPool(Window.Square(kernel, stride, pad), ceil), S(1, 3, size, size)));

    [Fact]
    public void Other_operators_follow_their_definition()
    {
        Assert.Equal(S(4, 10), Infer(new Gemm(TransposeB: true), S(4, 64), S(10, 64), S(10)));
        Assert.Equal(S(4, 8, 5, 5), Infer(new Binary(BinaryFunction.Mul), S(4, 8, 5, 5), S(8, 1, 1)));
        Assert.Equal(S(1, 32, 16, 16), Infer(new Pad([0, 8, 0, 0], [0, 8, 0, 0]), S(1, 16, 16, 16)));
        Assert.Equal(S(1, 16, 16, 16), Infer(new Slice([new(2, 0, int.MaxValue, 2), new(3, 0, int.MaxValue, 2)]), S(1, 16, 32, 32)));
        Assert.Equal(S(1, 24, 7, 7), Infer(new Concat(1), S(1, 16, 7, 7), S(1, 8, 7, 7)));
        Assert.Equal(S(2, 48), Infer(new Flatten(1), S(2, 3, 4, 4)));
        Assert.Equal(S(2, 48), Infer(new Reshape([0, -1]), S(2, 3, 4, 4)));
        Assert.Equal(S(2, 3), Infer(new Reduce(ReduceFunction.Mean, [2, 3], false), S(2, 3, 4, 4)));
        Assert.Equal(S(2, 4, 4, 3), Infer(new Transpose([0, 2, 3, 1]), S(2, 3, 4, 4)));
    }

    [Fact]
    public void A_misfit_names_the_node_and_the_shapes()
    {
        var e = Assert.Throws<InvalidModelException>(() => Infer(new Conv(Window.Square(3)), S(1, 3, 8, 8), S(4, 2, 3, 3)));
        Assert.Contains("Conv 'n'", e.Message);
        Assert.Contains("1×3×8×8", e.Message);
        Assert.Throws<InvalidModelException>(() => Infer(new Conv(Window.Square(9)), S(1, 3, 8, 8), S(4, 3, 9, 9)));
        Assert.Throws<InvalidModelException>(() => Infer(new Binary(BinaryFunction.Add), S(1, 3), S(1, 4)));
        Assert.Throws<InvalidModelException>(() => Infer(new BatchNormalization(), S(1, 3)));
        Assert.Throws<InvalidModelException>(() => Infer(new Reshape([0, 7]), S(2, 3, 4, 4)));
        Assert.Throws<InvalidModelException>(() => Infer(new Slice([new(2, 4, 2)]), S(1, 3, 8, 8)));
    }
}
