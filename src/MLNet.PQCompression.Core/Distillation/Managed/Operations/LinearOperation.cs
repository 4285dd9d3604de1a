using System.Collections.Immutable;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>y = alpha·x·op(W) + beta·c by <see cref="MatrixProduct"/>: Gemm and MatMul with a constant right side.</summary>
internal sealed unsafe class LinearOperation : TrainingOperation
{
    private readonly bool _transposed;
    private readonly float _alpha, _beta;
    private readonly int _inputs, _outputs, _rowsPerSample;

    /// <summary>Plans the product.</summary>
    public LinearOperation(bool transposed, float alpha, float beta, ValueSlot input, ImmutableArray<Parameter> parameters, ValueSlot output)
        : base([input], parameters, output)
    {
        (_transposed, _alpha, _beta) = (transposed, alpha, beta);
        _inputs = input.Layout.Dimensions[^1];
        _outputs = output.Layout.Dimensions[^1];
        _rowsPerSample = input.Layout.Count / _inputs;
    }

    private Parameter Weight => Parameters[0];

    private Parameter? Bias => Parameters.Length > 1 ? Parameters[1] : null;

    private int WeightRow => _transposed ? _inputs : _outputs;

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => Weight.Trainable;

    /// <inheritdoc/>
    public override void Forward(StepContext context)
    {
        int rows = context.Count * _rowsPerSample;
        Span<float> y = Output.Data!.Span((long)rows * _outputs);
        y.Clear();
        if (Bias is not null)
        {
            ReadOnlySpan<float> bias = Bias.Dense;
            float factor = _alpha == 0 ? _beta : _beta / _alpha;
            for (int i = 0; i < y.Length; i++)
                y[i] = factor * bias[bias.Length == 1 ? 0 : i % _outputs];
        }
        if (_alpha == 0)
            return; // the bias is all there is
        Span<float> x = Inputs[0].Data!.Span((long)rows * _inputs);
        // By the parts of a shared batch: products of few rows are made in another way.
        foreach ((_, int first, int end) in context.Ranges)
            MatrixProduct.Multiply(
                false, _transposed, (end - first) * _rowsPerSample, _outputs, _inputs, x[(first * _rowsPerSample * _inputs)..], _inputs, Weight.Dense, WeightRow, 1,
                y[(first * _rowsPerSample * _outputs)..], _outputs, context.Workers);
        Scale(y, _alpha);
    }

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        int rows = context.Count * _rowsPerSample;
        if (Bias is { Trainable: true })
            AddBiasGradient(context);
        Span<float> g = Output.Gradient!.Span((long)rows * _outputs);
        Scale(g, _alpha);
        if (Weight.Trainable)
            context.Sum(Weight.DenseGradient, (first, end, sum) => AddWeightGradient(context, first, end, sum));
        if (Inputs[0].NeedsGradient)
        {
            AlignedBuffer target = context.GradientTarget(Inputs[0], out bool accumulate);
            Span<float> dx = target.Span((long)rows * _inputs);
            foreach ((_, int first, int end) in context.Ranges)
                MatrixProduct.Multiply(
                    false, !_transposed, (end - first) * _rowsPerSample, _inputs, _outputs, g[(first * _rowsPerSample * _outputs)..], _outputs, Weight.Dense, WeightRow, accumulate ? 1 : 0,
                    dx[(first * _rowsPerSample * _inputs)..], _inputs, context.Workers);
        }
    }

    private void AddWeightGradient(StepContext context, int first, int end, float[] sum)
    {
        (int start, int rows) = (first * _rowsPerSample, (end - first) * _rowsPerSample);
        Span<float> x = Inputs[0].Data!.Span((long)(start + rows) * _inputs)[(start * _inputs)..], g = Output.Gradient!.Span((long)(start + rows) * _outputs)[(start * _outputs)..];
        if (_transposed)
            MatrixProduct.Multiply(true, false, _outputs, _inputs, rows, g, _outputs, x, _inputs, 1, sum, _inputs, context.Workers);
        else
            MatrixProduct.Multiply(true, false, _inputs, _outputs, rows, x, _inputs, g, _outputs, 1, sum, _outputs, context.Workers);
    }

    private void AddBiasGradient(StepContext context)
    {
        var sums = new float[_outputs];
        ChannelSums.AddTo(context, Output, sums);
        float[] target = Bias!.DenseGradient;
        for (int i = 0; i < sums.Length; i++)
            target[target.Length == 1 ? 0 : i] += _beta * sums[i];
    }

    private static void Scale(Span<float> values, float factor)
    {
        if (factor != 1)
            System.Numerics.Tensors.TensorPrimitives.Multiply(values, factor, values);
    }
}
