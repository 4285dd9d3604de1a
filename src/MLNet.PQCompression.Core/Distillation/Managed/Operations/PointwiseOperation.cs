using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A pointwise function of one input.</summary>
internal sealed unsafe class PointwiseOperation<T>(T function, ValueSlot input, ValueSlot output) : TrainingOperation([input], [], output)
    where T : struct, IPointwiseFunction
{
    /// <inheritdoc/>
    public override bool ReadsOutput => true;

    /// <inheritdoc/>
    public override void Forward(StepContext context) => context.ForEachSample(n =>
    {
        float* x = Inputs[0].Sample(n), y = Output.Sample(n);
        int length = Output.Layout.Length, i = 0;
        for (; i <= length - 16; i += 16)
            function.Value(Vector512.Load(x + i)).Store(y + i);
        if (i < length)
            StoreFirst(function.Value(LoadFirst(x + i, length - i)), y + i, length - i);
        Output.Layout.ClearPadding(y);
    });

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        context.GradientTarget(Inputs[0], out bool accumulate);
        context.ForEachSample(n =>
        {
            float* x = Inputs[0].Sample(n), y = Output.Sample(n), g = Output.GradientSample(n), dx = Inputs[0].GradientSample(n);
            int length = Output.Layout.Length, i = 0;
            for (; i <= length - 16; i += 16)
            {
                Vector512<float> d = Vector512.Load(g + i) * function.Derivative(Vector512.Load(x + i), Vector512.Load(y + i));
                (accumulate ? d + Vector512.Load(dx + i) : d).Store(dx + i);
            }
            if (i == length)
                return;
            int rest = length - i;
            Vector512<float> last = LoadFirst(g + i, rest) * function.Derivative(LoadFirst(x + i, rest), LoadFirst(y + i, rest));
            StoreFirst(accumulate ? last + LoadFirst(dx + i, rest) : last, dx + i, rest);
        });
    }

    private static Vector512<float> LoadFirst(float* source, int count)
    {
        Vector512<float> v = default;
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(&v, 16));
        return v;
    }

    private static void StoreFirst(Vector512<float> v, float* target, int count) =>
        new ReadOnlySpan<float>(&v, count).CopyTo(new Span<float>(target, count));
}
