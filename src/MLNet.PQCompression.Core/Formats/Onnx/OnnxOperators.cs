using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Turns nodes of operator sets 7 and later into <see cref="Operator"/> records.</summary>
internal static class OnnxOperators
{
    private const int MaxWindow = 1 << 20;

    /// <summary>The operator of a node that computes something from activations.</summary>
    /// <param name="node">The node.</param>
    /// <param name="inputs">How many of its inputs, from the first on, the operator reads; the others have become attributes.</param>
    /// <exception cref="UnsupportedOperatorException">There is none.</exception>
    public static Operator Translate(OnnxNode node, out int inputs)
    {
        inputs = node.Type is "Conv" or "BatchNormalization" or "Gemm" or "MatMul" or "Concat" or "Add" or "Sub" or "Mul" or "Div" ? node.InputCount : 1;
        return node.Type switch
        {
            "Conv" => Convolution(node),
            "BatchNormalization" => Normalization(node),
            "Gemm" => new Gemm(node.Float("alpha", 1), node.Float("beta", 1), node.Int("transA", 0) != 0, node.Int("transB", 0) != 0),
            "MatMul" => new MatMul(),
            "Relu" => new Unary(UnaryFunction.Relu),
            "Sigmoid" => new Unary(UnaryFunction.Sigmoid),
            "Tanh" => new Unary(UnaryFunction.Tanh),
            "HardSwish" => new Unary(UnaryFunction.HardSwish),
            "Clip" => new Clip(node.Float("min", 1, float.MinValue), node.Float("max", 2, float.MaxValue)),
            "HardSigmoid" => new HardSigmoid(node.Float("alpha", 0.2f), node.Float("beta", 0.5f)),
            "LeakyRelu" => new LeakyRelu(node.Float("alpha", 0.01f)),
            "Add" => new Binary(BinaryFunction.Add),
            "Sub" => new Binary(BinaryFunction.Sub),
            "Mul" => new Binary(BinaryFunction.Mul),
            "Div" => new Binary(BinaryFunction.Div),
            "Concat" => new Concat(node.Axis(node.Int("axis", 1), AnyRank(node))),
            "Pad" => Padding(node),
            "Slice" => new Slice([.. Ranges(node, node.Rank(0))]),
            "MaxPool" => MaxPooling(node),
            "AveragePool" => new AveragePool(SlidingWindow(node, null), node.Int("ceil_mode", 0) != 0, node.Int("count_include_pad", 0) != 0),
            "GlobalAveragePool" => new GlobalAveragePool(),
            "GlobalMaxPool" => new GlobalMaxPool(),
            "ReduceMean" => Mean(node),
            "Flatten" => Flattening(node),
            "Reshape" => Reshaping(node),
            "Squeeze" => Regroup(node, ConstantShapes.Squeezed(node, Varying(node), node.Ints("axes", 1))),
            "Unsqueeze" => Regroup(node, ConstantShapes.Unsqueezed(node, Varying(node), node.Ints("axes", 1) ?? throw node.NotConstant(1))),
            "Transpose" => Transposition(node),
            "Softmax" => SoftmaxAlong(node),
            "LRN" => new Lrn((int)Bounded(node, node.Int("size", 0)), node.Float("alpha", 1e-4f), node.Float("beta", 0.75f), node.Float("bias", 1)),
            _ => throw node.Unsupported("this operator is not supported"),
        };
    }

    /// <summary>The ranges of a Slice.</summary>
    public static IEnumerable<SliceRange> Ranges(OnnxNode node, int rank)
    {
        long[] starts = node.Ints("starts", 1) ?? throw node.NotConstant(1), ends = node.Ints("ends", 2) ?? throw node.NotConstant(2);
        long[] axes = node.Ints("axes", 3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[] steps = node.Ints("steps", 4) ?? [.. starts.Select(_ => 1L)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
            throw new InvalidModelException($"node '{node.Name}' (Slice) has {starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps");
        if (steps.Any(s => s is < 1 or > int.MaxValue))
            throw node.Unsupported("only steps of 1 and more are supported");
        if (starts.Concat(ends).Any(Integers.IsMark))
            throw node.Unsupported("its range must not depend on the input's size");
        return starts.Select((start, i) => new SliceRange(node.Axis(axes[i], rank), Clamp(start), Clamp(ends[i]), (int)steps[i]));
    }

    private static int Clamp(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);

    private static Conv Convolution(OnnxNode node)
    {
        TensorShape weight = node.WeightShape(1);
        if (weight.Rank != 4)
            throw node.Unsupported($"only 2-D convolutions are supported; the weight is {weight}");
        Window window = SlidingWindow(node, [weight[2], weight[3]]);
        if ((window.KernelHeight, window.KernelWidth) != (weight[2], weight[3]))
            throw new InvalidModelException($"node '{node.Name}' (Conv) has a kernel of {window.KernelHeight}×{window.KernelWidth} and a weight of {weight}");
        return new(window, (int)Bounded(node, node.Int("group", 1)));
    }

    private static BatchNormalization Normalization(OnnxNode node)
    {
        node.Float("momentum", 0);
        if (node.Int("training_mode", 0) != 0 || node.Int("spatial", 1) != 1)
            throw node.Unsupported("only evaluation mode with one statistic a channel is supported");
        return new(node.Float("epsilon", 1e-5f));
    }

    private static MaxPool MaxPooling(OnnxNode node)
    {
        if (node.Int("storage_order", 0) != 0)
            throw node.Unsupported("only storage_order 0 is supported");
        return new(SlidingWindow(node, null), node.Int("ceil_mode", 0) != 0);
    }

    private static Window SlidingWindow(OnnxNode node, int[]? kernelOfWeight)
    {
        int[] kernel = Pair(node, "kernel_shape", 1) ?? kernelOfWeight ?? throw new InvalidModelException($"node '{node.Name}' ({node.Type}) lacks kernel_shape");
        int[] strides = Pair(node, "strides", 1) ?? [1, 1], dilations = Pair(node, "dilations", 1) ?? [1, 1];
        int[] pads = Numbers(node, "pads", 4, 0) ?? [0, 0, 0, 0];
        string auto = node.Text("auto_pad", "NOTSET");
        if (auto == "VALID")
            pads = [0, 0, 0, 0];
        else if (auto is "SAME_UPPER" or "SAME_LOWER")
            for (int axis = 0; axis < 2; axis++)
            {
                long size = node.Shape(0)[2 + axis];
                if (Integers.IsMark(size))
                    throw node.Unsupported($"auto_pad {auto} needs a model with a fixed image size");
                long total = Math.Max(0, ((size + strides[axis] - 1) / strides[axis] - 1) * strides[axis] + (kernel[axis] - 1L) * dilations[axis] + 1 - size);
                if (total > 2L * MaxWindow)
                    throw node.Unsupported($"auto_pad {auto} asks for a padding of {total}");
                long small = total / 2;
                (pads[axis], pads[2 + axis]) = auto == "SAME_UPPER" ? ((int)small, (int)(total - small)) : ((int)(total - small), (int)small);
            }
        else if (auto is not ("NOTSET" or ""))
            throw node.Unsupported($"auto_pad {auto} is not supported");
        return new(kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], dilations[0], dilations[1]);
    }

    private static int[]? Pair(OnnxNode node, string attribute, int least) => Numbers(node, attribute, 2, least);

    private static int[]? Numbers(OnnxNode node, string attribute, int count, int least)
    {
        if (node.Ints(attribute) is not { } values)
            return null;
        if (values.Length != count)
            throw node.Unsupported($"{attribute} [{string.Join(", ", values)}] is not that of a 2-D window");
        var numbers = new int[count];
        for (int i = 0; i < count; i++)
            numbers[i] = values[i] >= least && values[i] <= MaxWindow
                ? (int)values[i]
                : throw node.Unsupported($"{attribute} [{string.Join(", ", values)}] is out of range");
        return numbers;
    }

    private static long Bounded(OnnxNode node, long value) => value is >= 1 and <= MaxWindow ? value : throw new InvalidModelException($"node '{node.Name}' ({node.Type}) has a size of {value}");

    private static Pad Padding(OnnxNode node)
    {
        if (node.Text("mode", "constant") is not "constant" and var mode)
            throw node.Unsupported($"mode {mode} is not supported, only constant");
        long[] pads = node.Ints("pads", 1) ?? throw node.NotConstant(1);
        int rank = node.Rank(0);
        long[] axes = node.Ints("axes", 3) ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        if (pads.Length != 2 * axes.Length)
            throw new InvalidModelException($"node '{node.Name}' (Pad) has {pads.Length} widths for {axes.Length} dimensions");
        if (pads.Any(p => p is < 0 or > MaxWindow))
            throw node.Unsupported($"the widths [{string.Join(", ", pads)}] are negative or too large");
        int[] before = new int[rank], after = new int[rank];
        for (int i = 0; i < axes.Length; i++)
            (before[node.Axis(axes[i], rank)], after[node.Axis(axes[i], rank)]) = ((int)pads[i], (int)pads[i + axes.Length]);
        return new([.. before], [.. after], node.Float("value", 2, 0));
    }

    private static ReduceMean Mean(OnnxNode node)
    {
        int rank = node.Rank(0);
        bool keep = node.Int("keepdims", 1) != 0;
        long[] given = node.Ints("axes", 1) ?? [];
        if (given.Length == 0 && node.Int("noop_with_empty_axes", 0) != 0)
            throw node.Unsupported("noop_with_empty_axes without axes is not supported");
        int[] axes = [.. given.Select(a => node.Axis(a, rank)).Distinct().Order()];
        return axes.Length > 0 && axes[0] > 0
            ? new([.. axes], keep)
            : throw node.Unsupported("the mean over the batch is not supported");
    }

    private static Flatten Flattening(OnnxNode node)
    {
        long axis = node.Int("axis", 1);
        if (axis < 0)
            axis += node.Rank(0);
        return axis is >= 1 and <= 16 ? new((int)axis) : throw node.Unsupported($"axis {axis} would mix the batch with other dimensions");
    }

    private static Reshape Reshaping(OnnxNode node)
    {
        if (node.Int("allowzero", 0) != 0)
            throw node.Unsupported("allowzero is not supported");
        long[] sizes = node.Ints("shape", 1) ?? throw node.NotConstant(1);
        if (sizes.Length is 0 or > 16 || sizes.Count(s => s == -1) > 1 || sizes.Any(s => s is < -1 or > int.MaxValue && s != Integers.Batch)
            || sizes.Skip(1).Contains(Integers.Batch))
            throw node.Unsupported("its shape depends on the image size, or is out of range");
        // A fixed batch in the model's own input counts as any batch.
        if (sizes[0] == Integers.Batch || sizes[0] == node.FixedBatch)
            sizes = [0, .. sizes[1..]];
        return sizes[0] is 0 or -1
            ? new([.. sizes.Select(s => (int)s)])
            : throw node.Unsupported($"its shape [{string.Join(", ", sizes)}] fixes the batch to {sizes[0]}");
    }

    private static TensorShape Varying(OnnxNode node) => node.Shape(0).ToShape();

    /// <summary>A Reshape to a shape of which some dimensions vary.</summary>
    private static Reshape Regroup(OnnxNode node, TensorShape to)
    {
        TensorShape from = Varying(node);
        int[] sizes = [.. to.Dimensions.Select((d, i) => d == -1 && i < from.Rank && from[i] == -1 ? 0 : d)];
        return sizes.Length > 0 && sizes[0] == 0 && sizes.Count(s => s == -1) <= 1
            ? new([.. sizes])
            : throw node.Unsupported($"from {from} to {to} is not a reshape with the batch first");
    }

    private static Transpose Transposition(OnnxNode node)
    {
        int rank = node.Rank(0);
        long[] permutation = node.Ints("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(i => (long)i)];
        if (permutation.Length != rank || !permutation.Order().SequenceEqual(Enumerable.Range(0, rank).Select(i => (long)i)))
            throw new InvalidModelException($"node '{node.Name}' (Transpose) has perm [{string.Join(", ", permutation)}] for {rank} dimensions");
        return permutation[0] == 0 ? new([.. permutation.Select(p => (int)p)]) : throw node.Unsupported("the batch must stay dimension 0");
    }

    private static Softmax SoftmaxAlong(OnnxNode node)
    {
        int rank = node.Rank(0);
        int axis = node.Axis(node.Int("axis", node.Opset < 13 ? 1 : -1), rank);
        // Before operator set 13 the dimensions from the axis on were taken together.
        if (node.Opset < 13 && Enumerable.Range(axis + 1, rank - axis - 1).Any(i => node.Shape(0)[i] != 1))
            throw node.Unsupported("a softmax over several dimensions is not supported");
        return axis > 0 ? new(axis) : throw node.Unsupported("a softmax over the batch is not supported");
    }

    private static int AnyRank(OnnxNode node) =>
        node.Inputs.Select(i => i is Activation { Shape: { } shape } ? shape.Rank : i is Constant constant ? constant.Tensor.Shape.Rank : 0).DefaultIfEmpty().Max() is > 0 and var rank
            ? rank
            : throw node.Unsupported("the shape of its inputs must be known here");
}
