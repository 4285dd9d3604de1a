using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>The largest value of each window; the gradient goes to the first place that has it.</summary>
internal sealed unsafe class MaxPoolOperation(Window window, ValueSlot input, ValueSlot output) : TrainingOperation([input], [], output)
{
    /// <inheritdoc/>
    public override bool ReadsOutput => true;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        int channels = Output.Layout.PaddedChannels;
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, y += channels)
        {
            new Span<float>(y, channels).Fill(float.NegativeInfinity);
            foreach (int from in PoolWindow.Pixels(window, Inputs[0].Layout, Output.Layout, pixel))
                System.Numerics.Tensors.TensorPrimitives.Max(
                    new ReadOnlySpan<float>(y, channels), new ReadOnlySpan<float>(x + from * channels, channels), new Span<float>(y, channels));
        }
        Output.Layout.ClearPadding(Output.Sample(n));
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            float* x = Inputs[0].Sample(n), y = Output.Sample(n), dx = Inputs[0].GradientSample(n), g = Output.GradientSample(n);
            int channels = Output.Layout.PaddedChannels;
            var open = new bool[channels];
            for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, y += channels, g += channels)
            {
                open.AsSpan().Fill(true);
                foreach (int from in PoolWindow.Pixels(window, Inputs[0].Layout, Output.Layout, pixel))
                    for (int c = 0; c < channels; c++)
                        if (open[c] && x[from * channels + c] == y[c])
                        {
                            dx[from * channels + c] += g[c];
                            open[c] = false;
                        }
            }
        });
    }
}
