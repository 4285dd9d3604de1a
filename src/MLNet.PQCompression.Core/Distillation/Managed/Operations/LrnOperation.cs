using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>
/// Local response normalization: y = x·s^−β with s = bias + α/size·Σx² over size channels around each.
/// dx_i = g_i·s_i^−β − 2αβ/size·x_i·Σ over the channels j that i counts for of g_j·x_j·s_j^(−β−1).
/// </summary>
internal sealed unsafe class LrnOperation(Lrn lrn, ValueSlot input, ValueSlot output) : TrainingOperation([input], [], output)
{
    private readonly int _before = (lrn.Size - 1) / 2, _after = lrn.Size / 2;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        ValueLayout layout = Output.Layout;
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        new Span<float>(y, layout.Length).Clear();
        for (int pixel = 0; pixel < layout.Pixels; pixel++, x += layout.PaddedChannels, y += layout.PaddedChannels)
            for (int c = 0; c < layout.Channels; c++)
                y[c] = x[c] * MathF.Pow(Sum(x, c), -lrn.Beta);
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            ValueLayout layout = Output.Layout;
            float* x = Inputs[0].Sample(n), g = Output.GradientSample(n), dx = Inputs[0].GradientSample(n);
            for (int pixel = 0; pixel < layout.Pixels; pixel++, x += layout.PaddedChannels, g += layout.PaddedChannels, dx += layout.PaddedChannels)
                for (int j = 0; j < layout.Channels; j++)
                {
                    float s = Sum(x, j), power = MathF.Pow(s, -lrn.Beta);
                    dx[j] += g[j] * power;
                    float shared = 2 * lrn.Alpha * lrn.Beta / lrn.Size * g[j] * x[j] * power / s;
                    for (int i = Math.Max(0, j - _before); i <= Math.Min(layout.Channels - 1, j + _after); i++)
                        dx[i] -= shared * x[i];
                }
        });
    }

    private float Sum(float* x, int channel)
    {
        float sum = 0;
        for (int i = Math.Max(0, channel - _before); i <= Math.Min(Output.Layout.Channels - 1, channel + _after); i++)
            sum += x[i] * x[i];
        return lrn.Bias + lrn.Alpha / lrn.Size * sum;
    }
}
