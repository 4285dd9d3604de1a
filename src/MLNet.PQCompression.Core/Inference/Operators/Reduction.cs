using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Reductions over whole dimensions.</summary>
internal static class Reduction
{
    /// <summary>The mean over some dimensions.</summary>
    public static void Mean(int[] axes, Activation x, Activation output) => Run(ReduceFunction.Mean, axes, x, output);

    /// <summary>Joins the values along some dimensions.</summary>
    public static void Run(ReduceFunction function, int[] axes, Activation x, Activation output)
    {
        Span<float> y = output.Span;
        y.Fill(function switch
        {
            ReduceFunction.Max or ReduceFunction.LogSumExp => float.NegativeInfinity,
            ReduceFunction.Min => float.PositiveInfinity,
            ReduceFunction.Prod => 1,
            _ => 0,
        });
        if (x.Shape.Count == 0)
            return;
        // A stride of zero along a reduced dimension lands all of its values on the same output.
        int[] strides = new int[x.Shape.Rank];
        int stride = 1, count = 1;
        for (int i = x.Shape.Rank - 1; i >= 0; i--)
            if (axes.Contains(i))
                count *= x.Shape[i];
            else
            {
                strides[i] = stride;
                stride *= x.Shape[i];
            }
        if (function == ReduceFunction.LogSumExp)
        {
            var greatest = new Activation(output.Shape);
            Run(ReduceFunction.Max, axes, x, greatest);
            y.Clear();
            Walk(x, output, strides, (ReadOnlySpan<float> run, Span<float> at, int start) => Accumulate(run, at, greatest.Span[start..]));
            for (int i = 0; i < y.Length; i++)
                y[i] = float.IsInfinity(greatest.Span[i]) ? greatest.Span[i] : MathF.Log(y[i]) + greatest.Span[i];
            return;
        }
        Walk(x, output, strides, (run, at, _) => Join(function, run, at));
        switch (function)
        {
            case ReduceFunction.Mean:
                TensorPrimitives.Multiply(y, 1f / count, y);
                break;
            case ReduceFunction.L2:
                TensorPrimitives.Sqrt(y, y);
                break;
            case ReduceFunction.LogSum:
                TensorPrimitives.Log(y, y);
                break;
        }
    }

    private delegate void RunBody(ReadOnlySpan<float> run, Span<float> output, int start);

    /// <summary>Visits the runs along the last dimension with the outputs they count towards: one, or as many as the run is long.</summary>
    private static void Walk(Activation x, Activation output, int[] strides, RunBody body)
    {
        int length = x.Shape.Rank == 0 ? 1 : x.Shape[x.Shape.Rank - 1];
        bool along = strides.Length == 0 || strides[^1] == 0;
        Strides.ForEachRun(x.Shape.Dimensions.AsSpan(), Strides.Of(x.Shape), strides, 0, 0,
            (from, to) => body(x.Span.Slice(from, length), output.Span.Slice(to, along ? 1 : length), to));
    }

    private static void Join(ReduceFunction function, ReadOnlySpan<float> run, Span<float> y)
    {
        bool along = y.Length < run.Length || run.Length == 1;
        switch (function)
        {
            case ReduceFunction.Max when along:
                y[0] = MathF.Max(y[0], TensorPrimitives.Max(run));
                break;
            case ReduceFunction.Max:
                TensorPrimitives.Max(y, run, y);
                break;
            case ReduceFunction.Min when along:
                y[0] = MathF.Min(y[0], TensorPrimitives.Min(run));
                break;
            case ReduceFunction.Min:
                TensorPrimitives.Min(y, run, y);
                break;
            case ReduceFunction.Prod when along:
                y[0] *= TensorPrimitives.Product(run);
                break;
            case ReduceFunction.Prod:
                TensorPrimitives.Multiply(y, run, y);
                break;
            case ReduceFunction.L1 when along:
                y[0] += TensorPrimitives.SumOfMagnitudes(run);
                break;
            case ReduceFunction.L1:
                for (int i = 0; i < run.Length; i++)
                    y[i] += MathF.Abs(run[i]);
                break;
            case ReduceFunction.L2 or ReduceFunction.SumSquare when along:
                y[0] += TensorPrimitives.SumOfSquares(run);
                break;
            case ReduceFunction.L2 or ReduceFunction.SumSquare:
                TensorPrimitives.MultiplyAdd(run, run, y, y);
                break;
            default:
                if (along)
                    y[0] += TensorPrimitives.Sum(run);
                else
                    TensorPrimitives.Add(y, run, y);
                break;
        }
    }

    /// <summary>y += e^(run − greatest).</summary>
    private static void Accumulate(ReadOnlySpan<float> run, Span<float> y, ReadOnlySpan<float> greatest)
    {
        for (int i = 0; i < run.Length; i++)
        {
            int at = y.Length == 1 ? 0 : i;
            if (!float.IsNegativeInfinity(run[i]))
                y[at] += MathF.Exp(run[i] - greatest[at]);
        }
    }
}
