using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Operators that only move values.</summary>
internal static class Rearrangement
{
    private const int Square = 32;

    public static void Run(Concat concat, Activation[] inputs, Activation output)
    {
        int[] strides = Strides.Of(output.Shape);
        int position = 0;
        foreach (Activation x in inputs)
        {
            int[] from = Strides.Of(x.Shape), sizes = [.. x.Shape.Dimensions];
            if (sizes[0] < output.Shape[0] && concat.Axis > 0)
                (from[0], sizes[0]) = (0, output.Shape[0]);
            Strides.Copy(x, 0, from, output, position * strides[concat.Axis], strides, sizes);
            position += x.Shape[concat.Axis];
        }
    }

    public static void Run(Pad pad, Activation x, Activation output)
    {
        int[] strides = Strides.Of(output.Shape), from = Strides.Of(x.Shape), size = [.. x.Shape.Dimensions];
        int offset = 0, first = 0;
        output.Span.Fill(pad.Value);
        for (int i = 0; i < strides.Length; i++)
        {
            int before = pad.Before[i], cut = Math.Max(0, -before);
            offset += Math.Max(0, before) * strides[i];
            first += cut * from[i];
            size[i] -= cut + Math.Max(0, -pad.After[i]);
        }
        Strides.Copy(x, first, from, output, offset, strides, size);
        if (pad.Mode == PadMode.Constant)
            return;
        // Dimension by dimension: what stands in the padding is copied from what earlier dimensions have completed.
        for (int axis = 0; axis < strides.Length; axis++)
            for (int i = 0; i < output.Shape[axis]; i++)
            {
                int inside = i - pad.Before[axis];
                if (inside >= 0 && inside < x.Shape[axis])
                    continue;
                int[] slab = [.. output.Shape.Dimensions];
                slab[axis] = 1;
                int source = Origin(pad.Mode, inside, x.Shape[axis]) + pad.Before[axis];
                Strides.Copy(output, source * strides[axis], strides, output, i * strides[axis], strides, slab);
            }
    }

    /// <summary>The position inside whose value stands at a position outside.</summary>
    internal static int Origin(PadMode mode, int position, int size) => mode switch
    {
        PadMode.Edge => Math.Clamp(position, 0, size - 1),
        PadMode.Wrap => (position % size + size) % size,
        _ => position < 0 ? -position : position >= size ? 2 * size - 2 - position : position,
    };

    public static void Run(Gather gather, Activation x, Activation output)
    {
        int size = x.Shape[gather.Axis], inner = Strides.Of(x.Shape)[gather.Axis], count = gather.Indices.Length;
        for (int outer = 0; outer < x.Shape.Count / (size * inner); outer++)
            for (int i = 0; i < count; i++)
            {
                int index = gather.Indices[i] < 0 ? gather.Indices[i] + size : gather.Indices[i];
                x.Span.Slice((outer * size + index) * inner, inner).CopyTo(output.Span[((outer * count + i) * inner)..]);
            }
    }

    /// <summary>Expand and Tile: dimensions walked again from the start.</summary>
    public static void Repeat(Activation x, Activation output)
    {
        TensorShape to = output.Shape;
        int[] from = Strides.Of(x.Shape), strides = new int[2 * to.Rank], steps = new int[2 * to.Rank], sizes = new int[2 * to.Rank];
        int[] targets = Strides.Of(to);
        for (int i = 0; i < to.Rank; i++)
        {
            int own = i - to.Rank + x.Shape.Rank, size = own < 0 ? 1 : x.Shape[own];
            (sizes[2 * i], strides[2 * i], steps[2 * i]) = (to[i] / size, 0, targets[i] * size);
            (sizes[2 * i + 1], strides[2 * i + 1], steps[2 * i + 1]) = (size, own < 0 ? 0 : from[own], targets[i]);
        }
        Strides.Copy(x, 0, strides, output, 0, steps, sizes);
    }

    public static void Run(DepthToSpace space, Activation x, Activation output)
    {
        int b = space.BlockSize, channels = output.Shape[1];
        for (int i = 0; i < b; i++)
            for (int j = 0; j < b; j++)
                Interleave(x, space.ColumnsFirst ? i * b + j : (i * b + j) * channels, space.ColumnsFirst ? b * b : 1, output, i, j, b, toSpace: true);
    }

    public static void Run(SpaceToDepth depth, Activation x, Activation output)
    {
        int b = depth.BlockSize;
        for (int i = 0; i < b; i++)
            for (int j = 0; j < b; j++)
                Interleave(output, (i * b + j) * x.Shape[1], 1, x, i, j, b, toSpace: false);
    }

    /// <summary>Copies between the channels of one image, from a channel on, and every b-th pixel of another.</summary>
    private static void Interleave(Activation deep, int channel, int channelStep, Activation wide, int row, int column, int b, bool toSpace)
    {
        int[] deepStrides = Strides.Of(deep.Shape), wideStrides = Strides.Of(wide.Shape);
        int deepOffset = channel * deepStrides[1], wideOffset = row * wideStrides[2] + column;
        deepStrides[1] *= channelStep;
        (wideStrides[2], wideStrides[3]) = (wideStrides[2] * b, b);
        int[] sizes = [wide.Shape[0], wide.Shape[1], deep.Shape[2], deep.Shape[3]];
        if (toSpace)
            Strides.Copy(deep, deepOffset, deepStrides, wide, wideOffset, wideStrides, sizes);
        else
            Strides.Copy(wide, wideOffset, wideStrides, deep, deepOffset, deepStrides, sizes);
    }

    public static void Run(Slice slice, Activation x, Activation output)
    {
        int[] strides = Strides.Of(x.Shape), steps = [.. strides];
        int offset = 0;
        foreach (SliceRange range in slice.Ranges)
        {
            offset += ShapeInference.Resolve(range, x.Shape[range.Axis]).Start * strides[range.Axis];
            steps[range.Axis] = strides[range.Axis] * range.Step;
        }
        Strides.Copy(x, offset, steps, output, 0, Strides.Of(output.Shape), output.Shape.Dimensions.AsSpan());
    }

    public static void Run(Transpose transpose, Activation x, Activation output)
    {
        ImmutableArray<int> order = transpose.Permutation;
        int kept = 0;
        while (kept < order.Length && order[kept] == kept)
            kept++;
        int turn = order.Length > kept ? order[kept] - kept : 0;
        if (turn > 0 && Enumerable.Range(0, order.Length - kept).All(i => order[kept + i] == kept + (i + turn) % (order.Length - kept)))
        {
            ReadOnlySpan<int> turned = x.Shape.Dimensions.AsSpan()[kept..];
            Exchange(x.Span, output.Span, Product(turned[..turn]), Product(turned[turn..]));
            return;
        }
        int[] strides = Strides.Of(x.Shape);
        int[] permuted = [.. transpose.Permutation.Select(i => strides[i])];
        Strides.Copy(x, 0, permuted, output, 0, Strides.Of(output.Shape), output.Shape.Dimensions.AsSpan());
    }

    /// <summary>Stacks of rows×columns as stacks of columns×rows, in squares that the first-level cache holds: images with their channels first as such with channels last, and back.</summary>
    private static void Exchange(ReadOnlySpan<float> source, Span<float> target, int rows, int columns)
    {
        for (int start = 0; start < source.Length; start += rows * columns)
            for (int row = 0; row < rows; row += Square)
                for (int column = 0; column < columns; column += Square)
                    for (int j = column; j < Math.Min(columns, column + Square); j++)
                        for (int i = row; i < Math.Min(rows, row + Square); i++)
                            target[start + j * rows + i] = source[start + i * columns + j];
    }

    private static int Product(ReadOnlySpan<int> sizes)
    {
        int product = 1;
        foreach (int size in sizes)
            product *= size;
        return product;
    }
}
