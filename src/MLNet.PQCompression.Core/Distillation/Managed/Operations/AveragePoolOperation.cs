using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>The mean of each window. A window over the whole image is the global average.</summary>
internal sealed unsafe class AveragePoolOperation(Window window, bool countIncludesPadding, ValueSlot input, ValueSlot output) : TrainingOperation([input], [], output)
{
    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        int channels = Output.Layout.PaddedChannels;
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, y += channels)
        {
            var sum = new Span<float>(y, channels);
            sum.Clear();
            foreach (int from in PoolWindow.Pixels(window, Inputs[0].Layout, Output.Layout, pixel))
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(x + from * channels, channels), sum);
            TensorPrimitives.Multiply(sum, 1f / Count(pixel), sum);
        }
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            float* dx = Inputs[0].GradientSample(n), g = Output.GradientSample(n);
            int channels = Output.Layout.PaddedChannels;
            for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, g += channels)
            {
                float share = 1f / Count(pixel);
                foreach (int from in PoolWindow.Pixels(window, Inputs[0].Layout, Output.Layout, pixel))
                {
                    var target = new Span<float>(dx + from * channels, channels);
                    TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(g, channels), share, target, target);
                }
            }
        });
    }

    private int Count(int pixel)
    {
        if (countIncludesPadding)
            return PoolWindow.CountWithPadding(window, Inputs[0].Layout, Output.Layout, pixel);
        int count = 0;
        foreach (int _ in PoolWindow.Pixels(window, Inputs[0].Layout, Output.Layout, pixel))
            count++;
        return Math.Max(count, 1);
    }
}
