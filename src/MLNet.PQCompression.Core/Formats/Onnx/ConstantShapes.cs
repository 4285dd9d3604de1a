using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Shapes of constants, and what the operators that only change shapes make of them.</summary>
internal static class ConstantShapes
{
    /// <summary>The shape of a value that is known without running the network.</summary>
    public static TensorShape ShapeOf(OnnxValue value) => value switch
    {
        Constant constant => constant.Tensor.Shape,
        Integers integers => integers.Shape,
        PackedCodes packed => packed.Shape,
        Lookup lookup => lookup.Shape,
        Quantized quantized => quantized.Shape,
        Reals reals => reals.First.Shape,
        _ => throw new InvalidModelException($"the shape of '{value.Name}' is not known"),
    };

    /// <summary>The shape without its dimensions of 1, or without the given ones.</summary>
    public static TensorShape Squeezed(OnnxNode node, TensorShape shape, long[]? axes)
    {
        var gone = (axes ?? [.. Enumerable.Range(0, shape.Rank).Where(i => shape[i] == 1).Select(i => (long)i)]).Select(a => node.Axis(a, shape.Rank)).ToHashSet();
        if (gone.FirstOrDefault(a => shape[a] != 1, -1) is >= 0 and var wrong)
            throw new InvalidModelException($"node '{node.Name}' removes dimension {wrong} of {shape}, which is not 1");
        return new([.. shape.Dimensions.Where((_, i) => !gone.Contains(i))]);
    }

    /// <summary>The shape with new dimensions of 1.</summary>
    public static TensorShape Unsqueezed(OnnxNode node, TensorShape shape, long[] axes)
    {
        int rank = shape.Rank + axes.Length;
        var added = axes.Select(a => node.Axis(a, rank)).ToHashSet();
        if (added.Count != axes.Length || rank > 16)
            throw new InvalidModelException($"node '{node.Name}' adds the axes {string.Join(", ", axes)}, some twice or too many");
        var result = new int[rank];
        int from = 0;
        for (int i = 0; i < rank; i++)
            result[i] = added.Contains(i) ? 1 : shape[from++];
        return new(result);
    }

    /// <summary>The sizes that a Reshape asks for, as the file has them.</summary>
    public static long[] Target(OnnxNode node)
    {
        if (node.Int("allowzero", 0) != 0)
            throw node.Unsupported("allowzero is not supported");
        return node.Ints("shape", 1) ?? throw node.NotConstant(1);
    }

    /// <summary>A Reshape's target with 0 and -1 worked out.</summary>
    public static TensorShape Resolve(OnnxNode node, TensorShape from, long[] target)
    {
        var sizes = new long[target.Length];
        int free = -1;
        long rest = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            long size = sizes[i] = target[i] == 0 && i < from.Rank ? from[i] : target[i];
            if (size == -1 && free < 0)
                free = i;
            else
                rest = size >= 0 ? checked(rest * size) : throw node.Unsupported("a constant's shape must not depend on the input");
        }
        if (free >= 0 && rest > 0)
            sizes[free] = from.Count / rest;
        TensorShape shape = RawTensor.ShapeOf(sizes);
        return shape.Count == from.Count ? shape : throw new InvalidModelException($"node '{node.Name}' reshapes {from} to [{string.Join(", ", target)}]");
    }
}
