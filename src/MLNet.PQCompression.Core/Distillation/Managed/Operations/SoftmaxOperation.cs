namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>e^x normalised along one dimension. dx = y·(g − Σ g·y).</summary>
internal sealed unsafe class SoftmaxOperation(int axis, ValueSlot input, ValueSlot output) : TrainingOperation([input], [], output)
{
    private readonly int _size = output.Layout.Dimensions[axis - 1], _stride = output.Layout.Strides[axis - 1];
    private readonly int[] _starts = StridedRows.Starts(output.Layout, axis - 1);

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <inheritdoc/>
    public override bool ReadsOutput => true;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        new Span<float>(Output.Sample(n), Output.Layout.Length).Clear();
        foreach (int start in _starts)
        {
            float* x = Inputs[0].Sample(n) + start, y = Output.Sample(n) + start;
            float largest = float.NegativeInfinity;
            for (int i = 0; i < _size; i++)
                largest = Math.Max(largest, x[i * _stride]);
            float sum = 0;
            for (int i = 0; i < _size; i++)
                sum += y[i * _stride] = MathF.Exp(x[i * _stride] - largest);
            for (int i = 0; i < _size; i++)
                y[i * _stride] /= sum;
        }
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            foreach (int start in _starts)
            {
                float* y = Output.Sample(n) + start, g = Output.GradientSample(n) + start, dx = Inputs[0].GradientSample(n) + start;
                float dot = 0;
                for (int i = 0; i < _size; i++)
                    dot += g[i * _stride] * y[i * _stride];
                for (int i = 0; i < _size; i++)
                    dx[i * _stride] += y[i * _stride] * (g[i * _stride] - dot);
            }
        });
    }
}
