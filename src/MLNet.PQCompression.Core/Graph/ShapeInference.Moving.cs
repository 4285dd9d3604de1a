using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <content>Operators that move values.</content>
public static partial class ShapeInference
{
    private static TensorShape Join(Node node, int axis, TensorShape[] inputs)
    {
        TensorShape result = inputs[0];
        if (axis < 0 || axis >= result.Rank)
            throw Misfit(node, inputs, $"they have no dimension {axis}");
        for (int i = 1; i < inputs.Length; i++)
        {
            TensorShape next = inputs[i];
            if (axis > 0 && next.Rank == result.Rank && (result[0] == 1 || next[0] == 1))
                (result, next) = (result.With(0, Math.Max(result[0], next[0])), next.With(0, Math.Max(result[0], next[0])));
            if (next.Rank != result.Rank || next.With(axis, 0) != result.With(axis, 0))
                throw Misfit(node, inputs, $"they differ in more than dimension {axis}");
            result = Sized(node, inputs, [.. result.Dimensions.Select((d, j) => j == axis ? (long)d + next[axis] : d)]);
        }
        return result;
    }

    private static TensorShape Enlarge(Node node, Pad pad, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        if (pad.Before.Length != x.Rank || pad.After.Length != x.Rank)
            throw Misfit(node, inputs, $"the padding is for {pad.Before.Length} dimensions");
        if (pad.Mode == PadMode.Reflect && x.Dimensions.Where((d, i) => Math.Max(pad.Before[i], pad.After[i]) >= d && Math.Max(pad.Before[i], pad.After[i]) > 0).Any())
            throw Misfit(node, inputs, "the padding mirrors more than there is");
        if (x.Dimensions.Where((d, i) => (pad.Before[i], pad.After[i]) != (0, 0) && d == 0).Any() && pad.Mode != PadMode.Constant)
            throw Misfit(node, inputs, "there is nothing to repeat");
        long[] sizes = [.. x.Dimensions.Select((d, i) => (long)pad.Before[i] + d + pad.After[i])];
        return sizes.Where((d, i) => d <= 0 && x[i] > 0).Any() || x.Dimensions.Where((d, i) => Math.Max(0L, -(long)pad.Before[i]) + Math.Max(0L, -(long)pad.After[i]) > d).Any()
            ? throw Misfit(node, inputs, "the padding cuts everything away")
            : Sized(node, inputs, sizes);
    }

    private static TensorShape Cut(Node node, Slice slice, TensorShape[] inputs)
    {
        TensorShape result = inputs[0];
        foreach (SliceRange range in slice.Ranges)
        {
            if (range.Axis < 0 || range.Axis >= result.Rank || range.Step is 0 or int.MinValue)
                throw Misfit(node, inputs, $"there is no dimension {range.Axis} to slice in steps of {range.Step}");
            if (slice.Ranges.Count(r => r.Axis == range.Axis) > 1)
                throw Misfit(node, inputs, $"dimension {range.Axis} is sliced twice");
            (_, int count) = Resolve(range, inputs[0][range.Axis]);
            if (count == 0)
                throw Misfit(node, inputs, $"the range {range.Start}:{range.End}:{range.Step} of dimension {range.Axis} is empty");
            result = result.With(range.Axis, count);
        }
        return result;
    }

    /// <summary>The first position of a range and the number of its positions, within a dimension of <paramref name="size"/>.</summary>
    public static (int Start, int Count) Resolve(SliceRange range, int size)
    {
        bool forward = range.Step > 0;
        long start = range.Start < 0 ? (long)range.Start + size : range.Start, end = range.End < 0 ? (long)range.End + size : range.End;
        start = Math.Clamp(start, 0, forward ? size : size - 1L);
        end = Math.Clamp(end, forward ? 0 : -1, size);
        long count = forward ? (end - start + range.Step - 1) / range.Step : (start - end - range.Step - 1L) / -(long)range.Step;
        return ((int)start, (int)Math.Max(0, count));
    }

    private static TensorShape Join(Node node, Reduce reduce, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        foreach (int axis in reduce.Axes)
            if (axis < 0 || axis >= x.Rank || x[axis] == 0)
                throw Misfit(node, inputs, $"there is no dimension {axis}, or nothing in it, to reduce");
        IEnumerable<int> kept = reduce.KeepDimensions
            ? x.Dimensions.Select((d, i) => reduce.Axes.Contains(i) ? 1 : d)
            : x.Dimensions.Where((_, i) => !reduce.Axes.Contains(i));
        return new([.. kept]);
    }

    private static TensorShape Pick(Node node, Gather gather, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        if (gather.Axis < 0 || gather.Axis >= x.Rank || gather.DropsAxis && gather.Indices.Length != 1 || gather.Indices.Any(i => i < -x[gather.Axis] || i >= x[gather.Axis]))
            throw Misfit(node, inputs, $"there are no positions {string.Join(", ", gather.Indices)} along dimension {gather.Axis}");
        return gather.DropsAxis ? new([.. x.Dimensions.RemoveAt(gather.Axis)]) : x.With(gather.Axis, gather.Indices.Length);
    }

    private static TensorShape Unfold(Node node, int block, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        return x.Rank == 4 && block > 0 && x[1] % ((long)block * block) == 0
            ? Sized(node, inputs, x[0], x[1] / ((long)block * block), (long)x[2] * block, (long)x[3] * block)
            : throw Misfit(node, inputs, $"the channels of N×C×H×W must be a multiple of {block}²");
    }

    private static TensorShape Fold(Node node, int block, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        return x.Rank == 4 && block > 0 && x[2] % block == 0 && x[3] % block == 0
            ? Sized(node, inputs, x[0], (long)x[1] * block * block, x[2] / block, x[3] / block)
            : throw Misfit(node, inputs, $"height and width of N×C×H×W must be multiples of {block}");
    }

    /// <summary>The largest dimension that a Resize makes: each of its positions has a few weights.</summary>
    private const int MaxResized = 1 << 24;

    private static TensorShape Sample(Node node, Resize resize, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        if (resize.Sizes.Length != x.Rank && resize.Scales.Length != x.Rank)
            throw Misfit(node, inputs, $"it gives {Math.Max(resize.Sizes.Length, resize.Scales.Length)} sizes or scales");
        var sizes = new long[x.Rank];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = resize.OutputSize(i, x[i]) is > 0 and <= MaxResized and var size && x[i] > 0
                ? size
                : throw Misfit(node, inputs, $"dimension {i} would become {resize.OutputSize(i, x[i])}");
        return Sized(node, inputs, sizes);
    }

    private static TensorShape Regroup(Node node, Reshape reshape, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        var shape = new long[reshape.Shape.Length];
        (int free, long rest) = (-1, 1);
        for (int i = 0; i < shape.Length; i++)
        {
            long size = shape[i] = reshape.Shape[i];
            if (size == 0)
                size = shape[i] = i < x.Rank ? x[i] : throw Misfit(node, inputs, $"dimension {i} of the new shape copies one that is not there");
            if (size == -1 && free < 0)
                free = i;
            else if (size < 0 || (rest *= size) > Array.MaxLength)
                throw NoRegrouping();
        }
        if (free >= 0 && (rest == 0 || x.Count % rest != 0))
            throw NoRegrouping();
        if (free >= 0)
            (shape[free], rest) = (x.Count / rest, x.Count);
        return rest == x.Count ? Sized(node, inputs, shape) : throw NoRegrouping();

        InvalidModelException NoRegrouping() => Misfit(node, inputs, $"its elements do not fit the new shape [{string.Join(", ", reshape.Shape)}]");
    }

    private static bool IsPermutation(ImmutableArray<int> permutation, int rank)
    {
        bool valid = permutation.Length == rank;
        for (int i = 0; valid && i < rank; i++)
            valid = permutation.Contains(i);
        return valid;
    }

    private static TensorShape Permute(TensorShape x, ImmutableArray<int> permutation) => new([.. permutation.Select(i => x[i])]);
}
