using System.Collections.Immutable;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>The mean over some dimensions of a sample.</summary>
internal sealed unsafe class ReduceMeanOperation : TrainingOperation
{
    private readonly int[] _from, _to;
    private readonly float _share;

    /// <summary>Plans which input element counts towards which output element.</summary>
    public ReduceMeanOperation(ImmutableArray<int> axes, bool keepDimensions, ValueSlot input, ValueSlot output)
        : base([input], [], output)
    {
        ValueLayout x = input.Layout, y = output.Layout;
        _from = new int[x.Count];
        _to = new int[x.Count];
        _share = (float)y.Count / x.Count;
        for (int index = 0; index < x.Count; index++)
        {
            int from = 0, to = 0, outAxis = y.Dimensions.Length - 1;
            for (int axis = x.Dimensions.Length - 1, rest = index; axis >= 0; rest /= x.Dimensions[axis--])
            {
                int at = rest % x.Dimensions[axis];
                bool reduced = axes.Contains(axis + 1);
                from += at * x.Strides[axis];
                if (!reduced)
                    to += at * y.Strides[outAxis];
                if (!reduced || keepDimensions)
                    outAxis--;
            }
            (_from[index], _to[index]) = (from, to);
        }
    }

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => false;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        new Span<float>(y, Output.Layout.Length).Clear();
        for (int i = 0; i < _from.Length; i++)
            y[_to[i]] += x[_from[i]] * _share;
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.AddToGradient(Inputs[0], n =>
        {
            float* dx = Inputs[0].GradientSample(n), g = Output.GradientSample(n);
            for (int i = 0; i < _from.Length; i++)
                dx[_from[i]] += g[_to[i]] * _share;
        });
    }
}
