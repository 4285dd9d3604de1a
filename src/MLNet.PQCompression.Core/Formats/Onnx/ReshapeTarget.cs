using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Finds the form of a Reshape that does, for any batch and image size, what the file's does for its own.</summary>
/// <remarks>
/// Files fix the batch in many ways: they give 1 for it, leave it out, or join it with other dimensions. What the file says holds for its own batch B (1 where
/// it leaves the batch open). The batch is the outermost factor of one input dimension; in the new shape it is that of the first dimension before which there
/// are as many elements, and that dimension grows with the batch.
/// </remarks>
internal static class ReshapeTarget
{
    /// <summary>The Reshape from a probed shape to sizes that the file asks for.</summary>
    /// <param name="node">The node, for messages and its batch.</param>
    /// <param name="from">The input's shape.</param>
    /// <param name="first">The sizes for the first probe, with ONNX's 0 and -1.</param>
    /// <param name="second">The sizes for the second probe.</param>
    public static Reshape Fit(OnnxNode node, ProbedShape from, long[] first, long[] second)
    {
        // A size worked out from the batch itself shrinks and grows with it.
        bool[] batches = [.. first.Select((size, i) => size != second[i] && size * ProbedShape.SecondBatch == second[i] * ProbedShape.FirstBatch)];
        long[] one = Grown(node, from, from.First, first, batches, ProbedShape.FirstBatch), two = Grown(node, from, from.Second, second, batches, ProbedShape.SecondBatch);
        var sizes = new int[one.Length];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = i < from.Rank && (one[i], two[i]) == (from.First[i], from.Second[i]) && one[i] != two[i] ? 0
                : one[i] == two[i] ? checked((int)one[i])
                : -1;
        // What the file leaves to be worked out stays so.
        if (!sizes.Contains(-1) && Array.IndexOf(first, -1) is >= 0 and var free && second[free] == -1 && sizes[free] > 0)
            sizes[free] = -1;
        return sizes.Count(s => s == -1) <= 1
            ? new([.. sizes])
            : throw node.Unsupported($"from {from.ToShape()} to [{string.Join(", ", one)}] or [{string.Join(", ", two)}], more than one size depends on the input");
    }

    /// <summary>A reshape whose new sizes are known as those of the file's batch, dimension by dimension, such as Squeeze.</summary>
    public static Reshape Fit(OnnxNode node, Func<TensorShape, TensorShape> reshape)
    {
        ProbedShape from = node.Shape(0);
        return Fit(node, from, Sizes(reshape(Own(node, from, from.First, ProbedShape.FirstBatch))), Sizes(reshape(Own(node, from, from.Second, ProbedShape.SecondBatch))));

        static long[] Sizes(TensorShape shape) => [.. shape.Dimensions.Select(d => (long)d)];
    }

    /// <summary>The file's sizes for a probe, grown from the file's batch to the probe's.</summary>
    private static long[] Grown(OnnxNode node, ProbedShape from, TensorShape input, long[] target, bool[] batches, int batch)
    {
        long own = node.FixedBatch ?? 1, count = 1, rest = 1;
        TensorShape small = Own(node, from, input, batch);
        int holder = Enumerable.Range(0, from.Rank).FirstOrDefault(from.HoldsBatch, -1);
        var sizes = new long[target.Length];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = target[i] == 0 ? i < small.Rank ? small[i] : throw Misfit(node, from, target) : batches[i] ? target[i] / batch * own : target[i];
        foreach (int d in small.Dimensions)
            count = checked(count * d);
        foreach (long size in sizes)
            rest = size == -1 ? rest : size >= 0 ? checked(rest * size) : throw Misfit(node, from, target);
        int free = Array.IndexOf(sizes, -1);
        if (free >= 0)
            sizes[free] = rest > 0 && count % rest == 0 ? count / rest : throw Misfit(node, from, target);
        else if (rest != count)
            throw Misfit(node, from, target);
        if (holder < 0)
            return sizes;
        long before = 1, outer = 1;
        for (int i = 0; i < holder; i++)
            before *= small[i];
        for (int i = 0; i < sizes.Length; outer *= sizes[i++])
            if (outer == before && sizes[i] * batch % own == 0)
            {
                sizes[i] = checked(sizes[i] * batch / own);
                return sizes;
            }
        throw node.Unsupported($"from {from.ToShape()} to [{string.Join(", ", target)}] the batch would not stay together");
    }

    /// <summary>The probed shape with the file's own batch.</summary>
    private static TensorShape Own(OnnxNode node, ProbedShape from, TensorShape input, int batch) =>
        new([.. input.Dimensions.Select((d, i) => from.HoldsBatch(i) ? checked((int)(d / batch * (node.FixedBatch ?? 1))) : d)]);

    private static InvalidModelException Misfit(OnnxNode node, ProbedShape from, long[] target) =>
        new($"node '{node.Name}' ({node.Type}) reshapes {from.ToShape()} to [{string.Join(", ", target)}]");
}
