using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Turns nodes of any operator set into <see cref="Operator"/> records.</summary>
internal static partial class OnnxOperators
{
    private const int MaxWindow = 1 << 20;

    /// <summary>The operator of a node that computes something from activations.</summary>
    /// <param name="node">The node.</param>
    /// <param name="inputs">How many of its inputs, from the first on, the operator reads; the others have become attributes.</param>
    /// <exception cref="UnsupportedOperatorException">There is none.</exception>
    public static Operator Translate(OnnxNode node, out int inputs)
    {
        inputs = node.Type is "Conv" or "ConvTranspose" or "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "Gemm" or "MatMul" or "Concat"
            or "Add" or "Sub" or "Mul" or "Div" or "Pow" or "PRelu" or "Max" or "Min" ? node.InputCount : 1;
        return node.Type switch
        {
            "Conv" => Convolution(node),
            "ConvTranspose" => TransposedConvolution(node),
            "BatchNormalization" => Normalization(node),
            "InstanceNormalization" => new InstanceNormalization(node.Float("epsilon", 1e-5f)),
            "LayerNormalization" => LayerNormalization(node),
            "Gemm" when node.Opset >= 7 || node.Int("broadcast", 0) >= 0 => new Gemm(node.Float("alpha", 1), node.Float("beta", 1), node.Int("transA", 0) != 0, node.Int("transB", 0) != 0),
            "MatMul" => node.InputCount == 2 ? new MatMul() : throw node.Unsupported("it takes two inputs"),
            "Concat" => new Concat(node.WorkingAxis(node.Int("axis", 1))),
            "Pad" => Padding(node),
            "Slice" => new Slice([.. Ranges(node)]),
            "Gather" => Gathering(node),
            "Expand" => Expansion(node),
            "Tile" => Tiling(node),
            "DepthToSpace" => ToSpace(node),
            "SpaceToDepth" => new SpaceToDepth((int)Bounded(node, node.Int("blocksize", 0))),
            "Resize" or "Upsample" => Resizing(node),
            "MaxPool" => MaxPooling(node),
            "AveragePool" => new AveragePool(SlidingWindow(node, null), node.Int("ceil_mode", 0) != 0, node.Int("count_include_pad", 0) != 0),
            "GlobalAveragePool" => new GlobalAveragePool(),
            "GlobalMaxPool" => new GlobalMaxPool(),
            "Flatten" => Flattening(node),
            "Reshape" => Reshaping(node),
            "Squeeze" => ReshapeTarget.Fit(node, shape => ConstantShapes.Squeezed(node, shape, node.Ints("axes", 1))),
            "Unsqueeze" => Unsqueezing(node),
            "Transpose" => Transposition(node),
            "Softmax" => new Softmax(SoftmaxAxis(node)),
            "LogSoftmax" => new LogSoftmax(SoftmaxAxis(node)),
            "LRN" => new Lrn((int)Bounded(node, node.Int("size", 0)), node.Float("alpha", 1e-4f), node.Float("beta", 0.75f), node.Float("bias", 1)),
            _ => Function(node) ?? Reduction(node) ?? throw node.Unsupported("this operator is not supported"),
        };
    }

    private static Operator? Function(OnnxNode node)
    {
        switch (node.Type)
        {
            case "Clip":
                return new Clip(node.Float("min", 1, float.MinValue), node.Float("max", 2, float.MaxValue));
            case "HardSigmoid":
                return new HardSigmoid(node.Float("alpha", 0.2f), node.Float("beta", 0.5f));
            case "LeakyRelu":
                return new LeakyRelu(node.Float("alpha", 0.01f));
            case "ThresholdedRelu":
                return new ThresholdedRelu(node.Float("alpha", 1));
            case "Elu":
                return new Elu(node.Float("alpha", 1));
            case "Selu":
                // Operator set 1 rounded the two constants.
                return new Selu(node.Float("alpha", node.Opset < 6 ? 1.6732f : 1.6732632f), node.Float("gamma", node.Opset < 6 ? 1.0507f : 1.0507009f));
            case "Celu":
                return new Celu(node.Float("alpha", 1));
            case "Gelu":
                return new Gelu(node.Text("approximate", "none") == "tanh");
        }
        if (Enum.TryParse(node.Type, out UnaryFunction unary))
            return new Unary(unary);
        return Enum.TryParse(node.Type, out BinaryFunction binary) ? new Binary(binary) : null;
    }

    private static Reduce? Reduction(OnnxNode node)
    {
        if (!node.Type.StartsWith("Reduce", StringComparison.Ordinal) || !Enum.TryParse(node.Type["Reduce".Length..], out ReduceFunction function))
            return null;
        int rank = node.Rank(0);
        bool keep = node.Int("keepdims", 1) != 0, none = node.Int("noop_with_empty_axes", 0) != 0;
        long[] axes = node.Ints("axes", 1) is { Length: > 0 } given ? given : none ? [] : [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        return new(function, [.. axes.Select(node.WorkingAxis).Distinct().Order()], keep);
    }

    private static LayerNormalization LayerNormalization(OnnxNode node)
    {
        node.Int("stash_type", 1);
        long axis = node.Int("axis", -1);
        for (int i = node.Axis(axis, node.Rank(0)); i < node.Rank(0); i++)
            node.WorkingAxis(i);
        return new(node.Axis(axis, node.Rank(0)), node.Float("epsilon", 1e-5f));
    }

    private static BatchNormalization Normalization(OnnxNode node)
    {
        node.Float("momentum", 0);
        node.Int("is_test", 1);
        if (node.Int("training_mode", 0) != 0 || node.Int("spatial", 1) != 1)
            throw node.Unsupported("only evaluation mode with one statistic a channel is supported");
        return new(node.Float("epsilon", 1e-5f));
    }

    private static int SoftmaxAxis(OnnxNode node)
    {
        int rank = node.Rank(0), axis = node.Axis(node.Int("axis", node.Opset < 13 ? 1 : -1), rank);
        // Before operator set 13 the dimensions from the axis on were taken together; where they are more than one the reader flattens them first.
        if (node.Opset < 13)
            for (int i = axis + 1; i < rank; i++)
                if (node.Shape(0)[i] != 1)
                    throw node.Unsupported("a softmax over several dimensions is not supported here");
        return node.WorkingAxis(axis);
    }

    private static long Bounded(OnnxNode node, long value) => value is >= 1 and <= MaxWindow ? value : throw new InvalidModelException($"node '{node.Name}' ({node.Type}) has a size of {value}");

    private static int Clamp(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);
}
