using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>Resize of an image's height and width: each pixel a weighted sum of pixels, the same for all channels.</summary>
/// <remarks>Nearest has one pixel with weight 1, linear up to 4, cubic up to 16.</remarks>
internal sealed unsafe class ResampleOperation : TrainingOperation
{
    private readonly ResizeTaps _rows, _columns;

    private ResampleOperation(ValueSlot input, ValueSlot output, ResizeTaps rows, ResizeTaps columns)
        : base([input], [], output) => (_rows, _columns) = (rows, columns);

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <summary>The operation, or null where more than height and width of an image change.</summary>
    public static ResampleOperation? TryCreate(Resize resize, ValueSlot input, ValueSlot output)
    {
        ValueLayout x = input.Layout, y = output.Layout;
        return x.IsImage && y.IsImage && x.Channels == y.Channels && resize.Scale(0, 1) == 1 && resize.Scale(1, x.Channels) == 1
            ? new(input, output, ResizeTaps.Of(resize, 2, x.Height, y.Height), ResizeTaps.Of(resize, 3, x.Width, y.Width))
            : null;
    }

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        new Span<float>(y, Output.Layout.Length).Clear();
        ForEachTap((from, to, weight) => Add(x + from, weight, y + to));
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            float* dx = Inputs[0].GradientSample(n), g = Output.GradientSample(n);
            ForEachTap((from, to, weight) => Add(g + to, weight, dx + from));
        });
    }

    private void Add(float* from, float weight, float* to)
    {
        var target = new Span<float>(to, Output.Layout.PaddedChannels);
        System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(from, target.Length), weight, target, target);
    }

    private void ForEachTap(Action<int, int, float> visit)
    {
        int channels = Output.Layout.PaddedChannels, from = Inputs[0].Layout.Width, to = Output.Layout.Width;
        for (int y = 0; y < Output.Layout.Height; y++)
            for (int row = y * _rows.Taps; row < (y + 1) * _rows.Taps; row++)
                for (int x = 0; x < to; x++)
                    for (int column = x * _columns.Taps; column < (x + 1) * _columns.Taps; column++)
                        if (_rows.Weights[row] * _columns.Weights[column] is not 0 and var weight)
                            visit((_rows.Positions[row] * from + _columns.Positions[column]) * channels, (y * to + x) * channels, weight);
    }
}
