using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>One side of a binary operator: an activation or a parameter.</summary>
internal readonly record struct Operand(ValueSlot? Value, Parameter? Parameter)
{
    /// <summary>The shape, batch included where it has one.</summary>
    public TensorShape Shape => Value?.Layout.Shape ?? Parameter!.Shape;

    /// <summary>Whether its gradient is wanted.</summary>
    public bool NeedsGradient => Value?.NeedsGradient ?? Parameter!.Trainable;
}

/// <summary>A pointwise function of two inputs with numpy broadcasting.</summary>
internal sealed unsafe class BinaryOperation(BinaryFunction function, Operand a, Operand b, ValueSlot output)
    : TrainingOperation([.. new[] { a.Value, b.Value }.OfType<ValueSlot>()], [.. new[] { a.Parameter, b.Parameter }.OfType<Parameter>()], output)
{
    private readonly ImmutableArray<int> _extents = output.Layout.IsImage
        ? [output.Layout.Height, output.Layout.Width, output.Layout.Channels]
        : output.Layout.Dimensions;

    private readonly ImmutableArray<int> _aStrides = Strides(a, output.Layout), _bStrides = Strides(b, output.Layout), _yStrides = Strides(new(output, null), output.Layout);

    // The gradient of a sum or difference does not depend on its inputs.
    private bool Linear => function is BinaryFunction.Add or BinaryFunction.Sub;

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => !Linear;

    /// <inheritdoc/>
    public override void Forward(StepContext context)
    {
        float[]? pa = Values(a), pb = Values(b);
        context.ForEachSample(n =>
        {
            fixed (float* da = pa, db = pb)
            {
                float* x = Data(a, da, n), z = Data(b, db, n), y = Output.Sample(n);
                Walk((i, j, k, count, si, sj, sk) =>
                {
                    for (int t = 0; t < count; t++, i += si, j += sj, k += sk)
                        y[k] = function switch
                        {
                            BinaryFunction.Add => x[i] + z[j],
                            BinaryFunction.Sub => x[i] - z[j],
                            BinaryFunction.Mul => x[i] * z[j],
                            BinaryFunction.Div => x[i] / z[j],
                            BinaryFunction.Max => MathF.Max(x[i], z[j]),
                            BinaryFunction.Min => MathF.Min(x[i], z[j]),
                            BinaryFunction.Pow => MathF.Pow(x[i], z[j]),
                            _ => x[i] >= 0 ? x[i] : x[i] * z[j],
                        };
                });
                Output.Layout.ClearPadding(y);
            }
        });
    }

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        Propagate(context, a, first: true);
        Propagate(context, b, first: false);
    }

    private void Propagate(StepContext context, Operand target, bool first)
    {
        if (!target.NeedsGradient)
            return;
        float[]? pa = Values(a), pb = Values(b);
        bool accumulate = true;
        if (target.Value is { } value)
            context.GradientTarget(value, out accumulate);
        if (target.Parameter is { } parameter)
            context.Sum(parameter.DenseGradient, (start, end, sum) =>
            {
                // The samples share it, so they take turns.
                for (int n = start; n < end; n++)
                    Add(n, sum);
            });
        else
            context.ForEachSample(n => Add(n, null));

        void Add(int n, float[]? sum)
        {
            fixed (float* da = pa, db = pb, shared = sum)
            {
                float* x = Linear ? null : Data(a, da, n), z = Linear ? null : Data(b, db, n), g = Output.GradientSample(n);
                float* d = target.Value is null ? shared : target.Value.GradientSample(n);
                if (!accumulate)
                    new Span<float>(d, target.Value!.Layout.Length).Clear();
                Walk((i, j, k, count, si, sj, sk) =>
                {
                    for (int t = 0; t < count; t++, i += si, j += sj, k += sk)
                        d[first ? i : j] += function switch
                        {
                            BinaryFunction.Add => g[k],
                            BinaryFunction.Sub => first ? g[k] : -g[k],
                            BinaryFunction.Mul => g[k] * (first ? z[j] : x[i]),
                            BinaryFunction.Div => first ? g[k] / z[j] : -g[k] * x[i] / (z[j] * z[j]),
                            // Where the two are alike the first counts.
                            BinaryFunction.Max => x[i] >= z[j] == first ? g[k] : 0,
                            BinaryFunction.Min => x[i] <= z[j] == first ? g[k] : 0,
                            BinaryFunction.Pow => g[k] * (first ? z[j] * MathF.Pow(x[i], z[j] - 1) : x[i] > 0 ? MathF.Pow(x[i], z[j]) * MathF.Log(x[i]) : 0),
                            _ => x[i] >= 0 ? first ? g[k] : 0 : g[k] * (first ? z[j] : x[i]),
                        };
                });
            }
        }
    }

    private delegate void RowBody(int a, int b, int y, int count, int aStep, int bStep, int yStep);

    // Visits the rows along the innermost dimension of the output as it lies in memory.
    private void Walk(RowBody body)
    {
        int rank = _extents.Length;
        if (rank == 0)
        {
            body(0, 0, 0, 1, 0, 0, 0);
            return;
        }
        int rows = 1;
        for (int i = 0; i < rank - 1; i++)
            rows *= _extents[i];
        for (int row = 0; row < rows; row++)
        {
            int i = 0, j = 0, k = 0;
            for (int d = rank - 2, rest = row; d >= 0; rest /= _extents[d--])
            {
                int at = rest % _extents[d];
                (i, j, k) = (i + at * _aStrides[d], j + at * _bStrides[d], k + at * _yStrides[d]);
            }
            body(i, j, k, _extents[^1], _aStrides[^1], _bStrides[^1], _yStrides[^1]);
        }
    }

    private static float[]? Values(Operand operand) => operand.Parameter?.Dense.ToArray();

    private static float* Data(Operand operand, float* parameter, int sample) => operand.Value is null ? parameter : operand.Value.Sample(sample);

    // The operand's stride along each of the output's dimensions, without the batch and in the output's order; 0 where it is broadcast.
    private static ImmutableArray<int> Strides(Operand operand, ValueLayout output)
    {
        int rank = output.Shape.Rank;
        var strides = new int[rank - 1];
        if (operand.Value is { } value)
        {
            if (value.Layout.Shape.Rank != rank)
                throw new InvalidModelException($"The activation '{value.Name}' of shape {value.Layout.Shape} cannot be broadcast to {output.Shape}: the batch would not stay in front.");
            for (int i = 0; i < strides.Length; i++)
                strides[i] = value.Layout.Dimensions[i] == 1 ? 0 : value.Layout.Strides[i];
        }
        else
        {
            TensorShape shape = operand.Parameter!.Shape;
            if (shape.Rank == rank && shape[0] != 1)
                throw new InvalidModelException($"The constant '{operand.Parameter.Name}' of shape {shape} varies along the batch.");
            for (int axis = shape.Rank - 1, step = 1; axis >= 0; step *= shape[axis--])
                if (axis - shape.Rank + rank - 1 is >= 0 and var i)
                    strides[i] = shape[axis] == 1 ? 0 : step;
        }
        return output.IsImage ? [strides[1], strides[2], strides[0]] : [.. strides];
    }
}
