using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>Every operator's gradients against central differences.</summary>
public class GradientTests
{
    [Theory]
    [InlineData(5, 7, 1, 3, 1, 1, 1, 6, 9)]
    [InlineData(16, 16, 1, 3, 1, 1, 1, 8, 8)]
    [InlineData(3, 20, 1, 7, 2, 3, 1, 13, 12)]
    [InlineData(20, 40, 1, 1, 2, 0, 1, 7, 6)]
    [InlineData(17, 48, 1, 3, 2, 1, 1, 9, 10)]
    [InlineData(6, 5, 1, 3, 1, 2, 2, 9, 7)]
    [InlineData(4, 6, 1, 2, 3, 0, 1, 9, 9)]
    [InlineData(4, 6, 2, 3, 1, 1, 1, 5, 5)]
    [InlineData(32, 32, 8, 3, 2, 1, 1, 6, 6)]
    [InlineData(32, 64, 2, 1, 1, 0, 1, 5, 31)]
    [InlineData(6, 12, 6, 3, 1, 1, 1, 5, 5)]
    public void Convolutions(int inputs, int outputs, int groups, int kernel, int stride, int pad, int dilation, int height, int width) =>
        Run(new Conv(Window.Square(kernel, stride, pad, dilation), groups), new(inputs, height, width), Tensor(10, outputs, inputs / groups, kernel, kernel), Tensor(11, outputs));

    [Fact]
    public void Convolution_with_uneven_window_and_padding() =>
        Run(new Conv(new Window(5, 2, 2, 1, 2, 0, 1, 1, 1, 2)), new(4, 9, 8), Tensor(10, 5, 4, 5, 2));

    [Theory]
    [InlineData(5, 3, 1, 1)]
    [InlineData(32, 5, 2, 1)]
    [InlineData(16, 3, 1, 2)]
    public void Depthwise_convolutions(int channels, int kernel, int stride, int dilation) =>
        Run(new Conv(Window.Square(kernel, stride, kernel / 2 * dilation, dilation), channels), new(channels, 7, 6), Tensor(10, channels, 1, kernel, kernel), Tensor(11, channels));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batch_normalization(bool batchStatistics) =>
        Run([new("bn", new BatchNormalization(), ["x", "c0", "c1", "c2", "c3"], "y")], new(5, 4, 3), Statistics(5), batchStatistics, frozen: 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batch_normalization_with_an_addition_and_a_rectifier_fused(bool batchStatistics) =>
        Run(
            [
                new("scale", new Binary(BinaryFunction.Mul), ["x", "c4"], "z"),
                new("bn", new BatchNormalization(), ["z", "c0", "c1", "c2", "c3"], "n"),
                new("add", new Binary(BinaryFunction.Add), ["x", "n"], "s"),
                new("relu", new Unary(UnaryFunction.Relu), ["s"], "y"),
            ],
            new(5, 4, 3), [.. Statistics(5), Tensor(13, 1, 5, 1, 1)], batchStatistics, frozen: 3);

    [Fact]
    public void Two_normalizations_added() =>
        Run(
            [
                new("a", new BatchNormalization(), ["x", "c0", "c1", "c2", "c3"], "m"),
                new("b", new BatchNormalization(), ["x", "c0", "c1", "c2", "c3"], "n"),
                new("add", new Binary(BinaryFunction.Add), ["m", "n"], "y"),
            ],
            new(4, 3, 3), Statistics(4), batchStatistics: false, frozen: 2);

    [Theory]
    [InlineData(UnaryFunction.Relu)]
    [InlineData(UnaryFunction.Sigmoid)]
    [InlineData(UnaryFunction.HardSwish)]
    [InlineData(UnaryFunction.Tanh)]
    public void Unary_functions(UnaryFunction function) => Run(new Unary(function), new(5, 3, 3));

    [Fact]
    public void Other_activations()
    {
        Run(new Clip(-0.4f, 0.6f), new(5, 3, 3));
        Run(new HardSigmoid(0.5f, 0.3f), new(5, 3, 3));
        Run(new LeakyRelu(0.2f), new(5, 3, 3));
    }

    [Theory]
    [InlineData(BinaryFunction.Add)]
    [InlineData(BinaryFunction.Sub)]
    [InlineData(BinaryFunction.Mul)]
    [InlineData(BinaryFunction.Div)]
    public void Binary_functions(BinaryFunction function)
    {
        var op = new Binary(function);
        Run(op, new(5, 3, 4), Tensor(10, 5, 1, 1));
        Run(op, new(5, 3, 4), Tensor(10, 4));
        Run([new("op", op, ["c0", "x"], "y")], new(5, 3, 4), [Tensor(10, 1, 1, 3, 1)]);
        Run([new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("op", op, ["x", "t"], "y")], new(5, 3, 4), []);
        Run([new("pool", new GlobalAveragePool(), ["x"], "p"), new("gate", new Unary(UnaryFunction.Sigmoid), ["p"], "s"), new("op", op, ["x", "s"], "y")], new(5, 3, 4), []);
    }

    [Fact]
    public void A_value_read_twice_by_one_node() => Run([new("square", new Binary(BinaryFunction.Mul), ["x", "x"], "y")], new(3, 4, 4), []);

    [Fact]
    public void Pools()
    {
        Run(new MaxPool(new Window(3, 2, 2, 1, 1, 0, 0, 1)), new(5, 7, 6));
        Run(new MaxPool(Window.Square(3, 2), CeilMode: true), new(5, 8, 8));
        Run(new AveragePool(Window.Square(3, 2, 1)), new(5, 7, 6));
        Run(new AveragePool(Window.Square(3, 2, 1), CeilMode: true, CountIncludePad: true), new(5, 8, 7));
        Run(new GlobalAveragePool(), new(20, 4, 3));
        Run(new GlobalMaxPool(), new(5, 4, 3));
    }

    [Fact]
    public void Means()
    {
        Run(new Reduce(ReduceFunction.Mean, [2, 3]), new(5, 4, 3));
        Run(new Reduce(ReduceFunction.Mean, [2, 3], KeepDimensions: false), new(5, 4, 3));
        Run(new Reduce(ReduceFunction.Mean, [1]), new(5, 4, 3));
    }

    [Fact]
    public void Rearrangements()
    {
        Run(new Pad([0, 2, 1, 0], [0, 3, 0, 2], 0.5f), new(5, 3, 4));
        Run(new Slice([new(2, 0, int.MaxValue, 2), new(3, -3, -1)]), new(5, 6, 4));
        Run(new Flatten(), new(5, 3, 4));
        Run(new Reshape([0, 2, 3, -1]), new(6, 2, 4));
        Run(new Reshape([-1, 2, 3, 2, 4]), new(6, 2, 4));
        Run(new Transpose([0, 2, 3, 1]), new(5, 3, 4));
        Run([new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("concat", new Concat(1), ["x", "t", "x"], "y")], new(5, 3, 4), []);
        Run([new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("concat", new Concat(3), ["x", "t"], "y")], new(17, 3, 4), []);
    }

    [Fact]
    public void Values_that_are_taken_repeated_and_laid_out_anew()
    {
        Run(new Gather(1, [3, -1, 0, 3]), new(5, 3, 4));
        Run(new Gather(2, [1], DropsAxis: true), new(5, 3, 4));
        Run(new Expand([1, 5, 3, 4]), new(1, 3, 4));
        Run(new Tile([1, 2, 1, 3]), new(5, 3, 2));
        Run(new DepthToSpace(2), new(8, 3, 2));
        Run(new DepthToSpace(2, ColumnsFirst: true), new(8, 3, 2));
        Run(new SpaceToDepth(2), new(5, 4, 6));
        Run(new Pad([0, 0, 2, 1], [0, 0, 1, 2], 0, PadMode.Reflect), new(5, 4, 4));
        Run(new Pad([0, 0, 2, 1], [0, 0, 1, 2], 0, PadMode.Edge), new(5, 4, 4));
        Run(new Pad([0, 0, 2, 1], [0, 0, 1, 2], 0, PadMode.Wrap), new(5, 4, 4));
    }

    [Theory]
    [InlineData(Interpolation.Nearest, ResizeCoordinates.Asymmetric)]
    [InlineData(Interpolation.Nearest, ResizeCoordinates.HalfPixel)]
    [InlineData(Interpolation.Linear, ResizeCoordinates.HalfPixel)]
    [InlineData(Interpolation.Linear, ResizeCoordinates.AlignCorners)]
    [InlineData(Interpolation.Cubic, ResizeCoordinates.HalfPixel)]
    public void Images_of_other_sizes(Interpolation mode, ResizeCoordinates coordinates)
    {
        Run(new Resize(mode, coordinates, ResizeRounding.Floor, [1, 1, 2, 2], []), new(5, 3, 4));
        Run(new Resize(mode, coordinates, ResizeRounding.RoundPreferFloor, [], [0, 0, 5, 3]), new(17, 3, 4));
    }

    [Fact]
    public void Values_besides_images_are_resized_to_the_nearest_only()
    {
        Node rows = new("rows", new Reshape([0, 2, 6]), ["x"], "r");
        Run([rows, new("op", new Resize(Interpolation.Nearest, ResizeCoordinates.Asymmetric, ResizeRounding.Floor, [1, 1, 2], []), ["r"], "y")], new(1, 3, 4), []);
        Assert.Throws<UnsupportedOperatorException>(() =>
            Run([rows, new("op", new Resize(Interpolation.Linear, ResizeCoordinates.HalfPixel, ResizeRounding.Floor, [1, 1, 2], []), ["r"], "y")], new(1, 3, 4), []));
    }

    [Fact]
    public void Linear_maps()
    {
        Node flatten = new("flatten", new Flatten(), ["x"], "f");
        Run([flatten, new("fc", new Gemm(TransposeB: true), ["f", "c0", "c1"], "y")], new(5, 2, 2), [Tensor(10, 7, 20), Tensor(11, 7)]);
        Run([flatten, new("fc", new Gemm(0.7f, 1.3f), ["f", "c0", "c1"], "y")], new(5, 2, 2), [Tensor(10, 20, 7), Tensor(11, 1, 7)]);
        Run([flatten, new("fc", new MatMul(), ["f", "c0"], "y")], new(5, 2, 2), [Tensor(10, 20, 33)]);
    }

    [Fact]
    public void Normalizations_across_channels()
    {
        Run(new Softmax(1), new(5, 3, 4));
        Run(new Softmax(3), new(5, 3, 4));
        Run(new Lrn(3, 0.5f, 0.75f, 1.5f), new(7, 2, 3));
        Run(new Lrn(4, 0.5f, 0.75f, 1.5f), new(20, 2, 3));
    }

    [Fact]
    public void An_operator_that_mixes_the_batch_is_refused()
    {
        var e = Assert.Throws<UnsupportedOperatorException>(() => Run([new("op", new Concat(0), ["x", "x"], "y")], new(2, 2, 2), []));
        Assert.Equal("op", e.NodeName);
    }

    private static Initializer[] Statistics(int channels) =>
        [Tensor(10, channels), Tensor(11, channels), Tensor(12, channels), new DenseTensor(new(channels), (float[])[.. Values(channels, 14).Select(v => 0.5f + v * v)])];
}
