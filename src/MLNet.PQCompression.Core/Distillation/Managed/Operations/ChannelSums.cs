using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>Sums over the batch and the pixels, for the gradient of a bias.</summary>
internal static unsafe class ChannelSums
{
    /// <summary>Adds the sum of a value's gradient over everything but channels to <paramref name="target"/>: per sample in parallel, then in order.</summary>
    public static void AddTo(StepContext context, ValueSlot value, Span<float> target)
    {
        ValueLayout layout = value.Layout;
        int row = layout.IsImage ? layout.PaddedChannels : layout.Dimensions[^1];
        int rows = layout.Length / row;
        AlignedBuffer sums = context.Buffers.Rent((long)context.Count * row);
        context.ForEachSample(n =>
        {
            var sum = new Span<float>(sums.Pointer + (long)n * row, row);
            sum.Clear();
            float* gradient = value.GradientSample(n);
            for (int r = 0; r < rows; r++)
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(gradient + (long)r * row, row), sum);
        });
        double[] totals = context.Sum(target.Length, (first, end, total) =>
        {
            for (int c = 0; c < total.Length; c++)
                for (int n = first; n < end; n++)
                    total[c] += sums.Pointer[(long)n * row + c];
        });
        for (int c = 0; c < target.Length; c++)
            target[c] += (float)totals[c];
        context.Buffers.Return(sums);
    }
}
