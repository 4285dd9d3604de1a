using System.Numerics.Tensors;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Means and maxima over whole dimensions.</summary>
internal static class Reduction
{
    /// <summary>The mean over some dimensions.</summary>
    public static void Mean(int[] axes, Activation x, Activation output)
    {
        if (x.Shape.Count == 0)
            return;
        int count = 1;
        foreach (int axis in axes)
            count *= x.Shape[axis];
        Span<float> y = output.Span;
        y.Clear();
        // A stride of zero along a reduced dimension lands all of its values on the same output.
        int[] strides = new int[x.Shape.Rank];
        int stride = 1;
        for (int i = x.Shape.Rank - 1; i >= 0; i--)
            if (!axes.Contains(i))
            {
                strides[i] = stride;
                stride *= x.Shape[i];
            }
        int length = x.Shape.Rank == 0 ? 1 : x.Shape[x.Shape.Rank - 1];
        bool along = strides.Length == 0 || strides[^1] == 0;
        Strides.ForEachRun(x.Shape.Dimensions.AsSpan(), Strides.Of(x.Shape), strides, 0, 0, (from, to) =>
        {
            ReadOnlySpan<float> run = x.Span.Slice(from, length);
            if (along)
                output.Span[to] += TensorPrimitives.Sum(run);
            else
                TensorPrimitives.Add(output.Span.Slice(to, length), run, output.Span.Slice(to, length));
        });
        TensorPrimitives.Multiply(y, 1f / count, y);
    }

    /// <summary>The maximum over H and W.</summary>
    public static void SpatialMaximum(Activation x, Activation output)
    {
        int plane = x.Shape[2] * x.Shape[3];
        Span<float> y = output.Span;
        for (int i = 0; i < y.Length; i++)
            y[i] = TensorPrimitives.Max(x.Span.Slice(i * plane, plane));
    }
}
