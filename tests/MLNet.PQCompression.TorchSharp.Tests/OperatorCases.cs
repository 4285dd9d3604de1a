using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Small graphs around each operator in its forms: x, constants c0, c1, …, and y.</summary>
internal static class OperatorCases
{
    /// <summary>The graphs by name.</summary>
    public static IReadOnlyDictionary<string, OperatorCase> All { get; } = Make().ToDictionary(c => c.Name);

    private static IEnumerable<OperatorCase> Make()
    {
        foreach ((int inputs, int outputs, int groups, int kernel, int stride, int pad, int dilation, int height, int width) in
            new[] { (5, 7, 1, 3, 1, 1, 1, 6, 9), (3, 20, 1, 7, 2, 3, 1, 13, 12), (6, 5, 1, 3, 1, 2, 2, 9, 7), (4, 6, 2, 3, 1, 1, 1, 5, 5), (6, 12, 6, 3, 1, 1, 1, 5, 5), (5, 5, 5, 3, 2, 1, 1, 7, 6) })
            yield return One($"convolution {inputs} to {outputs} in {groups}, kernel {kernel}, stride {stride}, dilation {dilation}",
                new Conv(Window.Square(kernel, stride, pad, dilation), groups), new(inputs, height, width), Tensor(10, outputs, inputs / groups, kernel, kernel), Tensor(11, outputs));
        yield return One("convolution, uneven", new Conv(new Window(5, 2, 2, 1, 2, 0, 1, 1, 1, 2)), new(4, 9, 8), Tensor(10, 5, 4, 5, 2));
        yield return new("normalization", [new("bn", new BatchNormalization(), ["x", "c0", "c1", "c2", "c3"], "y")], new(5, 4, 3), Statistics(5), 2);
        foreach (OperatorCase of in Pointwise().Concat(Joining()).Concat(Moving()))
            yield return of;
        yield return One("maximum, uneven", new MaxPool(new Window(3, 2, 2, 1, 1, 0, 0, 1)), new(5, 7, 6));
        yield return One("maximum, rounded up", new MaxPool(Window.Square(3, 2), CeilMode: true), new(5, 8, 8));
        yield return One("maximum, windows that leave a rest", new MaxPool(Window.Square(3, 3)), new(5, 8, 8));
        yield return One("mean", new AveragePool(Window.Square(3, 2, 1)), new(5, 7, 6));
        yield return One("mean with padding, rounded up", new AveragePool(Window.Square(3, 2, 1), CeilMode: true, CountIncludePad: true), new(5, 8, 7));
        yield return One("global mean", new GlobalAveragePool(), new(20, 4, 3));
        yield return One("global maximum", new GlobalMaxPool(), new(5, 4, 3));
        yield return One("pad", new Pad([0, 2, 1, 0], [0, 3, 0, 2], 0.5f), new(5, 3, 4));
        yield return One("slice", new Slice([new(2, 0, int.MaxValue, 2), new(3, -3, -1)]), new(5, 6, 4));
        yield return One("slice of everything", new Slice([]), new(5, 6, 4));
        yield return One("flatten", new Flatten(), new(5, 3, 4));
        yield return One("reshape", new Reshape([0, 2, 3, -1]), new(6, 2, 4));
        yield return One("reshape to five", new Reshape([-1, 2, 3, 2, 4]), new(6, 2, 4));
        yield return One("transpose", new Transpose([0, 2, 3, 1]), new(5, 3, 4));
        yield return new("concat", [new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("op", new Concat(1), ["x", "t", "x"], "y")], new(5, 3, 4), []);
        yield return new("concat of columns", [new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("op", new Concat(3), ["x", "t"], "y")], new(17, 3, 4), []);
        Node flatten = new("flatten", new Flatten(), ["x"], "f");
        yield return new("linear", [flatten, new("fc", new Gemm(TransposeB: true), ["f", "c0", "c1"], "y")], new(5, 2, 2), [Tensor(10, 7, 20), Tensor(11, 7)]);
        yield return new("linear, scaled", [flatten, new("fc", new Gemm(0.7f, 1.3f), ["f", "c0", "c1"], "y")], new(5, 2, 2), [Tensor(10, 20, 7), Tensor(11, 1, 7)]);
        yield return new("linear without bias", [flatten, new("fc", new Gemm(0.7f), ["f", "c0"], "y")], new(5, 2, 2), [Tensor(10, 20, 7)]);
        yield return new("product", [flatten, new("fc", new MatMul(), ["f", "c0"], "y")], new(5, 2, 2), [Tensor(10, 20, 33)]);
        yield return new("product of matrices", [new("mm", new MatMul(), ["x", "c0"], "y")], new(5, 2, 4), [Tensor(10, 4, 3)]) { IsTrainable = false };
        yield return new("product of matrices and a shift", [new("mm", new MatMul(), ["x", "c0", "c1"], "y")], new(5, 2, 4), [Tensor(10, 4, 3), Tensor(11, 3)]) { IsTrainable = false };
        yield return new("product with a vector", [new("mm", new MatMul(), ["x", "c0"], "y")], new(5, 2, 4), [Tensor(10, 4)]) { IsTrainable = false };
        yield return new("product, shifted", [flatten, new("fc", new MatMul(), ["f", "c0", "c1"], "y")], new(5, 2, 2), [Tensor(10, 20, 33), Tensor(11, 33)]);
        yield return new("product of matrices, broadcast", [new("mm", new MatMul(), ["c0", "x"], "y")], new(5, 2, 4), [Tensor(10, 1, 3, 2)]) { IsTrainable = false };
        yield return One("across channels", new Lrn(3, 0.5f, 0.75f, 1.5f), new(7, 2, 3));
        yield return One("across channels, even", new Lrn(4, 0.5f, 0.75f, 1.5f), new(20, 2, 3));
    }

    private static IEnumerable<OperatorCase> Pointwise()
    {
        foreach (UnaryFunction function in Enum.GetValues<UnaryFunction>())
        {
            // Logarithms and roots are numbers only where their argument is positive; what is flat nearly everywhere is multiplied with x, so that there is a gradient.
            Node of = new("op", new Unary(function), ["x"], "y");
            bool isPositive = function is UnaryFunction.Log or UnaryFunction.Sqrt or UnaryFunction.Reciprocal;
            bool isFlat = function is UnaryFunction.Floor or UnaryFunction.Ceil or UnaryFunction.Round or UnaryFunction.Sign;
            Node[] nodes = isPositive ? [Positive, of with { Inputs = ["s"] }] : isFlat ? [of with { Output = "f" }, new("mul", new Binary(BinaryFunction.Mul), ["x", "f"], "y")] : [of];
            yield return new($"{function}", nodes, new(5, 3, 3), []) { IsTrainable = function <= UnaryFunction.Tanh };
        }
        yield return One("clip", new Clip(-0.4f, 0.6f), new(5, 3, 3));
        yield return One("clip without bounds", new Clip(float.MinValue, float.PositiveInfinity), new(5, 3, 3));
        yield return One("hard sigmoid", new HardSigmoid(0.5f, 0.3f), new(5, 3, 3));
        yield return One("leaky", new LeakyRelu(0.2f), new(5, 3, 3));
        foreach (PointwiseOperator op in (PointwiseOperator[])[new ThresholdedRelu(0.3f), new Elu(0.7f), new Selu(), new Celu(0.6f), new Gelu(), new Gelu(Tanh: true)])
            yield return One(op.ToString(), op, new(5, 3, 3)) with { IsTrainable = false };
        foreach (BinaryFunction function in Enum.GetValues<BinaryFunction>())
        {
            // A power is a number only where its base is positive.
            bool isPositive = function == BinaryFunction.Pow;
            (Node[] before, string value) = isPositive ? ((Node[])[Positive], "s") : ([], "x");
            DenseTensor first = Tensor(10, 1, 1, 3, 1);
            yield return new($"{function} a channel's constant", [.. before, new("op", new Binary(function), [value, "c0"], "y")], new(5, 3, 4), [Tensor(10, 5, 1, 1)]);
            yield return new($"{function} a constant first", [.. before, new("op", new Binary(function), ["c0", value], "y")], new(5, 3, 4),
                [new DenseTensor(first.Shape, (float[])[.. first.Span.ToArray().Select(v => isPositive ? Math.Abs(v) : v)])]);
            yield return new($"{function} two values", [.. before, new("t", new Unary(UnaryFunction.Tanh), ["x"], "t"), new("op", new Binary(function), [value, "t"], "y")], new(5, 3, 4), []);
        }
    }

    private static IEnumerable<OperatorCase> Joining()
    {
        foreach (ReduceFunction function in Enum.GetValues<ReduceFunction>())
        {
            Node[] Over(bool keep, params int[] axes) => function == ReduceFunction.LogSum
                ? [Positive, new("op", new Reduce(function, [.. axes], keep), ["s"], "y")]
                : [new("op", new Reduce(function, [.. axes], keep), ["x"], "y")];
            yield return new($"{function} over space", Over(true, 2, 3), new(5, 4, 3), []) { IsTrainable = function == ReduceFunction.Mean };
            yield return new($"{function} over space, dimensions dropped", Over(false, 2, 3), new(5, 4, 3), []) { IsTrainable = function == ReduceFunction.Mean };
            yield return new($"{function} over channels", Over(true, 1), new(5, 4, 3), []) { IsTrainable = function == ReduceFunction.Mean };
            yield return new($"{function} over nothing", Over(true), new(5, 4, 3), []) { IsTrainable = function == ReduceFunction.Mean };
        }
        yield return One("softmax", new Softmax(1), new(5, 3, 4));
        yield return One("softmax of columns", new Softmax(3), new(5, 3, 4));
        yield return One("logarithm of softmax", new LogSoftmax(1), new(5, 3, 4)) with { IsTrainable = false };
        yield return One("instances", new InstanceNormalization(0.1f), new(5, 3, 4), Tensor(10, 5), Tensor(11, 5)) with { IsTrainable = false };
        yield return One("layers", new LayerNormalization(2, 0.1f), new(5, 3, 4), Tensor(10, 3, 4), Tensor(11, 3, 4)) with { IsTrainable = false };
        yield return One("layers without shift", new LayerNormalization(3, 0.1f), new(5, 3, 4), Tensor(10, 4)) with { IsTrainable = false };
    }

    private static IEnumerable<OperatorCase> Moving()
    {
        foreach (PadMode mode in Enum.GetValues<PadMode>().Where(m => m != PadMode.Constant))
            yield return One($"pad, {mode}", new Pad([0, 2, 1, 0], [0, 3, 0, 2], Mode: mode), new(5, 3, 4));
        yield return One("cut and pad", new Pad([0, -1, 1, 0], [0, 2, 0, -2], Mode: PadMode.Edge), new(5, 3, 4));
        yield return One("slice backwards", new Slice([new(2, -1, int.MinValue, -2), new(1, 3, 0, -1)]), new(5, 6, 4));
        yield return One("gather", new Gather(1, [3, 0, -1, 3]), new(5, 6, 4));
        yield return One("gather one", new Gather(2, [-2], DropsAxis: true), new(5, 6, 4));
        yield return One("expand", new Expand([1, 5, 6, 4]), new(5, 1, 4));
        yield return One("tile", new Tile([1, 2, 1, 3]), new(5, 2, 4));
        yield return One("depth to space", new DepthToSpace(2), new(12, 2, 3));
        yield return One("depth to space, columns first", new DepthToSpace(2, ColumnsFirst: true), new(12, 2, 3));
        yield return One("space to depth", new SpaceToDepth(2), new(3, 4, 6));
        foreach (Interpolation mode in Enum.GetValues<Interpolation>())
            foreach (ResizeCoordinates coordinates in Enum.GetValues<ResizeCoordinates>())
            {
                yield return One($"larger, {mode}, {coordinates}", new Resize(mode, coordinates, ResizeRounding.RoundPreferFloor, [1, 1, 2, 1.5f], []), new(3, 4, 6));
                yield return One($"narrower and higher, {mode}, {coordinates}", new Resize(mode, coordinates, ResizeRounding.Floor, [], [0, 0, 7, 3]), new(3, 4, 6));
            }
        foreach ((int groups, Window window, int extraHeight, int extraWidth) in
            new[] { (1, Window.Square(3, 2, 1), 1, 1), (2, Window.Square(3, 1, 0, 2), 0, 0), (1, new Window(2, 3, 3, 2, 0, 1, 1, 0), 2, 0) })
        {
            DenseTensor weight = Tensor(10, 4, 6 / groups, window.KernelHeight, window.KernelWidth);
            yield return One($"transposed convolution in {groups}, {window}", new ConvTranspose(window, groups, extraHeight, extraWidth), new(4, 4, 3), weight, Tensor(11, 6)) with { IsTrainable = false };
        }
    }

    /// <summary>s, between 0 and 1.</summary>
    private static Node Positive => new("s", new Unary(UnaryFunction.Sigmoid), ["x"], "s");

    private static OperatorCase One(string name, Operator op, TensorShape image, params Initializer[] constants) =>
        new(name, [new("op", op, ["x", .. constants.Select((_, i) => $"c{i}")], "y")], image, constants);

    private static Initializer[] Statistics(int channels) =>
        [Tensor(10, channels), Tensor(11, channels), Tensor(12, channels), new DenseTensor(new(channels), (float[])[.. Values(channels, 14).Select(v => 0.5f + v * v)])];
}

/// <summary>A graph around an operator.</summary>
/// <param name="Name">What the test is called.</param>
/// <param name="Nodes">They read x and the constants, and make y.</param>
/// <param name="Image">C×H×W of x.</param>
/// <param name="Constants">c0, c1, ….</param>
/// <param name="Frozen">How many of them, the last, get no gradient.</param>
internal sealed record OperatorCase(string Name, Node[] Nodes, TensorShape Image, Initializer[] Constants, int Frozen = 0)
{
    /// <summary>Whether the managed engine trains it too; otherwise its gradients are held to differences of its values.</summary>
    public bool IsTrainable { get; init; } = true;

    /// <summary>The names that get gradients: the constants, and gain and shift before x, which show the gradient by x.</summary>
    public IEnumerable<string> Trained => Constants.Take(Constants.Length - Frozen).Select((_, i) => $"c{i}").Concat(["gain", "shift"]);

    /// <summary>x is image·gain + shift.</summary>
    public ModelGraph Graph()
    {
        var initializers = new Dictionary<string, Initializer>
        {
            ["gain"] = new DenseTensor(new([1, .. Image.Dimensions]), (float[])[.. Values((int)Image.Count, 1).Select(v => 0.5f + Math.Abs(v))]),
            ["shift"] = new DenseTensor(new([1, .. Image.Dimensions]), Values((int)Image.Count, 2, 0.1f)),
        };
        for (int i = 0; i < Constants.Length; i++)
            initializers[$"c{i}"] = Constants[i];
        Node[] all = [new("gain.mul", new Binary(BinaryFunction.Mul), ["image", "gain"], "scaled"), new("shift.add", new Binary(BinaryFunction.Add), ["scaled", "shift"], "x"), .. Nodes];
        return new("check", new("image", new(-1, Image[0], Image[1], Image[2])), [new("y", default)], [.. all], initializers);
    }
}
