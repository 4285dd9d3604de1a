using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Operators that move values.</content>
internal static partial class OnnxOperators
{
    /// <summary>The ranges of a Slice.</summary>
    private static IEnumerable<SliceRange> Ranges(OnnxNode node)
    {
        ProbedShape shape = node.Shape(0);
        (long[] starts, long[] starts2) = node.ProbedInts("starts", 1) ?? throw node.NotConstant(1);
        (long[] ends, long[] ends2) = node.ProbedInts("ends", 2) ?? throw node.NotConstant(2);
        long[] axes = node.Ints("axes", 3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[] steps = node.Ints("steps", 4) ?? [.. starts.Select(_ => 1L)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length)
            throw new InvalidModelException($"node '{node.Name}' (Slice) has {starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps");
        if (steps.Any(s => s is 0 or > int.MaxValue or < -int.MaxValue))
            throw new InvalidModelException($"node '{node.Name}' (Slice) has the steps [{string.Join(", ", steps)}]");
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = node.Axis(axes[i], shape.Rank);
            var range = new SliceRange(axis, Position(node, shape, axis, starts[i], starts2[i]), Position(node, shape, axis, ends[i], ends2[i]), (int)steps[i]);
            if (range is { Start: 0, End: >= int.MaxValue - 1, Step: 1 } || range.Step == 1 && ShapeInference.Resolve(range, shape.First[axis]) == (0, shape.First[axis])
                && ShapeInference.Resolve(range, shape.Second[axis]) == (0, shape.Second[axis]))
                continue;
            node.WorkingAxis(axis);
            yield return range;
        }
    }

    /// <summary>A position in a dimension that depends on the input's size: the end, or as far from it for any size.</summary>
    private static int Position(OnnxNode node, ProbedShape shape, int axis, long first, long second)
    {
        if (first == second)
            return Clamp(first);
        long behind = first - shape.First[axis];
        return second - shape.Second[axis] != behind ? throw node.Unsupported("its range depends on the input's size")
            : behind >= 0 ? int.MaxValue
            : Clamp(behind);
    }

    private static Pad Padding(OnnxNode node)
    {
        string text = node.Text("mode", "constant");
        PadMode mode = text switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Edge,
            "wrap" => PadMode.Wrap,
            _ => throw node.Unsupported($"mode {text} is not supported"),
        };
        long[] pads = node.Ints("pads", 1) ?? node.Ints("paddings") ?? throw node.NotConstant(1);
        if (pads.Any(Integers.IsMark))
            throw node.Unsupported("its widths depend on the input's size");
        int rank = node.Rank(0);
        long[] axes = node.Ints("axes", 3) ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        if (pads.Length != 2 * axes.Length)
            throw new InvalidModelException($"node '{node.Name}' (Pad) has {pads.Length} widths for {axes.Length} dimensions");
        if (pads.Any(p => p is < -MaxWindow or > MaxWindow))
            throw node.Unsupported($"the widths [{string.Join(", ", pads)}] are too large");
        int[] before = new int[rank], after = new int[rank];
        for (int i = 0; i < axes.Length; i++)
            if ((pads[i], pads[i + axes.Length]) is not (0, 0) and var (front, back))
                (before[node.WorkingAxis(axes[i])], after[node.WorkingAxis(axes[i])]) = ((int)front, (int)back);
        return new([.. before], [.. after], node.Float("value", 2, 0), mode);
    }

    private static Gather Gathering(OnnxNode node)
    {
        Integers indices = ConstantFolding.AsIntegers(node.Input(1)) ?? throw node.NotConstant(1);
        int axis = node.WorkingAxis(node.Int("axis", 0));
        return indices.Elements.All(i => i is >= int.MinValue + 1 and <= int.MaxValue)
            ? new(axis, [.. indices.Elements.Select(i => (int)i)], indices.Shape.Rank == 0)
            : throw node.Unsupported("its positions depend on the input's size");
    }

    private static Expand Expansion(OnnxNode node)
    {
        (long[] first, long[] second) = node.ProbedInts("shape", 1) ?? throw node.NotConstant(1);
        ProbedShape from = node.Shape(0);
        var sizes = new int[Math.Max(first.Length, from.Rank)];
        for (int i = 0; i < sizes.Length; i++)
        {
            int given = i - sizes.Length + first.Length, own = i - sizes.Length + from.Rank;
            (long one, long two) = given < 0 ? (1, 1) : (first[given], second[given]);
            bool kept = own >= 0 && (one, two) == (from.First[own], from.Second[own]) || own >= 0 && from.HoldsBatch(own) && one == (node.FixedBatch ?? 1);
            sizes[i] = kept ? 1 : one == two && one is >= 1 and <= int.MaxValue ? (int)one : throw node.Unsupported("its shape depends on the input's size, or is out of range");
        }
        return new([.. sizes]);
    }

    private static Tile Tiling(OnnxNode node)
    {
        long[] repeats = node.Ints("repeats", 1) ?? throw node.NotConstant(1);
        if (repeats.Any(r => r is < 1 or > MaxWindow))
            throw node.Unsupported($"the repeats [{string.Join(", ", repeats)}] depend on the input, or are out of range");
        for (int i = 0; i < repeats.Length; i++)
            if (repeats[i] > 1)
                node.WorkingAxis(i);
        return new([.. repeats.Select(r => (int)r)]);
    }

    private static DepthToSpace ToSpace(OnnxNode node)
    {
        string mode = node.Text("mode", "DCR");
        return new((int)Bounded(node, node.Int("blocksize", 0)), mode switch { "DCR" => false, "CRD" => true, _ => throw node.Unsupported($"mode {mode} is not supported") });
    }

    private static Operator Flattening(OnnxNode node)
    {
        long axis = node.Int("axis", 1);
        if (axis == 1)
            return new Flatten();
        if (axis < 0)
            axis += node.Rank(0);
        if (axis is < 0 or > 16)
            throw new InvalidModelException($"node '{node.Name}' (Flatten) has axis {axis}");
        return axis >= 1 ? new Flatten((int)axis) : ReshapeTarget.Fit(node, shape => new(1, checked((int)shape.Count)));
    }

    private static Operator Reshaping(OnnxNode node)
    {
        if (node.Int("allowzero", 0) != 0)
            throw node.Unsupported("allowzero is not supported");
        (long[] first, long[] second) = node.ProbedInts("shape", 1) ?? throw node.NotConstant(1);
        if (first.Length is 0 or > 16 || first.Count(s => s == -1) > 1 || first.Concat(second).Any(s => s is < -1 or > int.MaxValue))
            throw node.Unsupported("its shape is out of range");
        if (node.Input(0) is not Activation { Shape: null })
            return ReshapeTarget.Fit(node, node.Shape(0), first, second);
        // The input's size is not known, so only what says itself what it does with the batch is read.
        return first[0] is 0 or -1 && ReferenceEquals(first, second) ? new Reshape([.. first.Select(s => (int)s)]) : throw node.Unsupported("the shape of its input must be known here; fix the model's image size");
    }

    private static Operator Unsqueezing(OnnxNode node)
    {
        long[] axes = node.Ints("axes", 1) ?? throw node.NotConstant(1);
        return ReshapeTarget.Fit(node, shape => ConstantShapes.Unsqueezed(node, shape, axes));
    }

    private static Transpose Transposition(OnnxNode node)
    {
        int rank = node.Rank(0);
        long[] permutation = node.Ints("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(i => (long)i)];
        if (permutation.Length != rank || !permutation.Order().SequenceEqual(Enumerable.Range(0, rank).Select(i => (long)i)))
            throw new InvalidModelException($"node '{node.Name}' (Transpose) has perm [{string.Join(", ", permutation)}] for {rank} dimensions");
        return new([.. permutation.Select(p => (int)p)]);
    }
}
