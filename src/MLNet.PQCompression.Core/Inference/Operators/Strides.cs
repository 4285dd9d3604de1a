using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Walks over dense tensors by the distance of neighbours along each dimension.</summary>
internal static class Strides
{
    /// <summary>The row-major strides of a shape.</summary>
    public static int[] Of(TensorShape shape)
    {
        var strides = new int[shape.Rank];
        int stride = 1;
        for (int i = shape.Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /// <summary>Calls <paramref name="visit"/> with the offsets into two tensors of every run along the last dimension.</summary>
    public static void ForEachRun(ReadOnlySpan<int> dimensions, ReadOnlySpan<int> stridesA, ReadOnlySpan<int> stridesB, int offsetA, int offsetB, Action<int, int> visit)
    {
        if (dimensions.Length <= 1)
        {
            visit(offsetA, offsetB);
            return;
        }
        for (int i = 0; i < dimensions[0]; i++)
            ForEachRun(dimensions[1..], stridesA[1..], stridesB[1..], offsetA + i * stridesA[0], offsetB + i * stridesB[0], visit);
    }

    /// <summary>Copies a box of values between two tensors.</summary>
    public static void Copy(
        Activation source, int sourceOffset, ReadOnlySpan<int> sourceStrides,
        Activation target, int targetOffset, ReadOnlySpan<int> targetStrides, ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Contains(0))
            return;
        int length = dimensions.Length == 0 ? 1 : dimensions[^1];
        int from = sourceStrides.Length == 0 ? 1 : sourceStrides[^1], to = targetStrides.Length == 0 ? 1 : targetStrides[^1];
        ForEachRun(dimensions, sourceStrides, targetStrides, sourceOffset, targetOffset, (a, b) =>
        {
            ReadOnlySpan<float> x = source.Span;
            Span<float> y = target.Span;
            if (from == 1 && to == 1)
                x.Slice(a, length).CopyTo(y[b..]);
            else
                for (int i = 0; i < length; i++)
                    y[b + i * to] = x[a + i * from];
        });
    }
}
