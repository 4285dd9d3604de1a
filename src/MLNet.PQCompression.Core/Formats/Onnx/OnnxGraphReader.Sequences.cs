using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Nodes that become several: functions of many inputs, old forms, and shorthands.</content>
internal sealed partial class OnnxGraphReader
{
    /// <summary>The last of the nodes that this one becomes, or null where it becomes one.</summary>
    private OnnxValue? Sequence(OnnxNode node)
    {
        switch (node.Type)
        {
            case "Sum" when node.InputCount > 0:
                return Chain(node, BinaryFunction.Add);
            case "Max" or "Min" when node.InputCount != 2:
                return Chain(node, node.Type == "Max" ? BinaryFunction.Max : BinaryFunction.Min);
            case "Mean" when node.InputCount > 0:
                return Then(node, Chain(node, BinaryFunction.Add), BinaryFunction.Mul, Number(node, "share", 1f / node.InputCount));
            case "Add" or "Sub" or "Mul" or "Div" or "Pow" or "PRelu" when Aligned(node) is { } aligned:
                return Emit(_nodeNames.Take(node.Name), OnnxOperators.Translate(node, out _), [node.Input(0), aligned], node.Outputs[0]);
            case "Softmax" or "LogSoftmax" when node.Opset < 13 && JoinedSoftmax(node) is { } softmax:
                return softmax;
            case "Gather" when ConstantFolding.AsIntegers(node.Input(1)) is { Shape.Rank: > 1 } indices:
                return Gather(node, indices);
            case "ImageScaler":
                return Then(node, Then(node, node.Input(0), BinaryFunction.Mul, Number(node, "scale", node.Float("scale", 1))), BinaryFunction.Add, Channels(node, "bias"));
            case "Affine":
                return Then(node, Then(node, node.Input(0), BinaryFunction.Mul, Number(node, "alpha", node.Float("alpha", 1))), BinaryFunction.Add, Number(node, "beta", node.Float("beta", 0)));
            case "Crop":
                return Crop(node);
            case "GroupNormalization":
                return GroupNormalization(node);
            default:
                return null;
        }
    }

    private OnnxValue Chain(OnnxNode node, BinaryFunction function)
    {
        OnnxValue result = node.Input(0);
        for (int i = 1; i < node.InputCount; i++)
            result = Then(node, result, function, node.Input(i));
        return result;
    }

    /// <summary>Another node on the way to a node's output.</summary>
    private Activation Then(OnnxNode node, OnnxValue value, BinaryFunction function, OnnxValue operand) => Then(node, new Binary(function), value, operand);

    private Activation Then(OnnxNode node, Operator operation, params OnnxValue[] inputs)
    {
        string name = _nodeNames.Take(node.Name);
        return Emit(name, operation, inputs, Output(node));
    }

    /// <summary>Stands in the names of values that the file does not have.</summary>
    private const string Inner = "#";

    /// <summary>A name for a value on the way to the node's output.</summary>
    private string Output(OnnxNode node) => _innerNames.Take(node.Outputs[0] + Inner);

    private static Constant Number(OnnxNode node, string what, float value) =>
        new($"{node.Name}.{what}", new(TensorElementType.Float32, new(), RawTensor.Encode([value], StorageType.Float32)));

    /// <summary>An attribute of one number for each channel.</summary>
    private static Constant Channels(OnnxNode node, string attribute)
    {
        float[] values = node.Floats(attribute) ?? [0];
        return new($"{node.Name}.{attribute}", new(TensorElementType.Float32, new([values.Length, 1, 1]), RawTensor.Encode(values, StorageType.Float32)));
    }

    /// <summary>Before operator set 7 a second operand began at an axis of the first; a constant one gets dimensions of 1 behind. Null where nothing is to be done.</summary>
    private static OnnxValue? Aligned(OnnxNode node)
    {
        if (node.Type == "PRelu")
            return node.Input(1) is Constant { Tensor: { Shape: { Rank: 1 } shape } slope } && node.Opset < 7 && node.Rank(0) > 2
                ? new Constant(node.Input(1).Name, new(slope.Type, new([shape[0], .. Enumerable.Repeat(1, node.Rank(0) - 2)]), slope.Data))
                : null;
        if (node.Int("broadcast", 0) == 0 || !node.Has("axis"))
            return null;
        int rank = node.Rank(0), axis = node.Axis(node.Int("axis", 0), rank);
        if (node.Input(1) is not Constant { Tensor: var tensor })
            throw node.Unsupported("only a constant is broadcast from an axis");
        int behind = rank - axis - tensor.Shape.Rank;
        return new Constant(node.Input(1).Name, new(tensor.Type, new([.. tensor.Shape.Dimensions, .. Enumerable.Repeat(1, Math.Max(0, behind))]), tensor.Data));
    }

    /// <summary>A softmax that takes several dimensions together: flattened before and restored after.</summary>
    private Activation? JoinedSoftmax(OnnxNode node)
    {
        ProbedShape shape = node.Shape(0);
        int axis = node.Axis(node.PeekInt("axis", 1), shape.Rank);
        if (Enumerable.Range(axis + 1, shape.Rank - axis - 1).All(i => shape[i] == 1))
            return null;
        node.Int("axis", 1);
        long[] Joined(TensorShape s) => [.. s.Dimensions[..axis].Select(d => (long)d), s.Dimensions[axis..].Aggregate(1L, (p, d) => p * d)];
        Activation flat = Then(node, ReshapeTarget.Fit(node, shape, Joined(shape.First), Joined(shape.Second)), node.Input(0));
        Activation result = Then(node, node.Type == "Softmax" ? new Softmax(axis) : new LogSoftmax(axis), flat);
        long[] Sizes(TensorShape s) => [.. s.Dimensions.Select(d => (long)d)];
        return Then(node, ReshapeTarget.Fit(node, result.Shape!, Sizes(shape.First), Sizes(shape.Second)), result);
    }

    private Activation Gather(OnnxNode node, Integers indices)
    {
        ProbedShape shape = node.Shape(0);
        int axis = node.Axis(node.PeekInt("axis", 0), shape.Rank);
        Activation flat = Then(node, OnnxOperators.Translate(node, out _), node.Input(0));
        long[] Sizes(TensorShape s) => [.. s.Dimensions[..axis].Select(d => (long)d), .. indices.Shape.Dimensions.Select(d => (long)d), .. s.Dimensions[(axis + 1)..].Select(d => (long)d)];
        return Then(node, ReshapeTarget.Fit(node, flat.Shape!, Sizes(shape.First), Sizes(shape.Second)), flat);
    }

    /// <summary>Cuts borders off an image, [left, top, right, bottom]; a scale gives height and width instead of the last two.</summary>
    private Activation Crop(OnnxNode node)
    {
        long[] border = node.Ints("border") ?? [], scale = node.Ints("scale") ?? [];
        if (border.Length != 4 || scale.Length is not (0 or 2) || border.Concat(scale).Any(b => b is < 0 or >= 1 << 20))
            throw new InvalidModelException($"node '{node.Name}' (Crop) cuts [{string.Join(", ", border)}]");
        SliceRange Range(int axis, long from, long behind, int index) =>
            new(axis, (int)from, scale.Length > 0 ? (int)(from + scale[index]) : behind == 0 ? int.MaxValue : -(int)behind);
        return Then(node, new Slice([Range(2, border[1], border[3], 0), Range(3, border[0], border[2], 1)]), node.Input(0));
    }

    /// <summary>Groups of channels normalized as instances, then scale and bias of each channel.</summary>
    private Activation GroupNormalization(OnnxNode node)
    {
        ProbedShape shape = node.Shape(0);
        long groups = node.Int("num_groups", 0), channels = shape.Rank < 2 ? 0 : shape[1];
        if (groups < 1 || channels < 1 || channels % groups != 0 || node.WeightShape(1) is not { Rank: 1 } given || given[0] != (node.Opset < 21 ? groups : channels))
            throw node.Unsupported($"{groups} groups do not fit {shape.ToShape()} and scales of shape {node.WeightShape(1)}");
        float epsilon = node.Float("epsilon", 1e-5f);
        node.Int("stash_type", 1);
        Constant Filled(string name, float value) =>
            new($"{node.Name}.{name}", new(TensorElementType.Float32, new((int)groups), RawTensor.Encode([.. Enumerable.Repeat(value, (int)groups)], StorageType.Float32)));
        Constant Each(int input)
        {
            if (node.Input(input) is not Constant { Tensor: var tensor })
                throw node.NotConstant(input);
            float[] values = tensor.ToFloats();
            float[] each = [.. Enumerable.Range(0, (int)channels).Select(c => values[c * values.Length / channels])];
            return new(node.Input(input).Name, new(TensorElementType.Float32, new([each.Length, .. Enumerable.Repeat(1, shape.Rank - 2)]), RawTensor.Encode(each, StorageType.Float32)));
        }
        long[] Sizes(TensorShape s) => [.. s.Dimensions.Select(d => (long)d)];
        long[] Grouped(TensorShape s) => [s[0], groups, s.Count / s[0] / groups];
        Activation grouped = Then(node, ReshapeTarget.Fit(node, shape, Grouped(shape.First), Grouped(shape.Second)), node.Input(0));
        Activation normal = Then(node, new InstanceNormalization(epsilon), grouped, Filled("one", 1), Filled("zero", 0));
        Activation back = Then(node, ReshapeTarget.Fit(node, normal.Shape!, Sizes(shape.First), Sizes(shape.Second)), normal);
        return Then(node, Then(node, back, BinaryFunction.Mul, Each(1)), BinaryFunction.Add, Each(2));
    }
}
