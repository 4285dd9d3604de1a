using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Functions of one value, in pieces that fit the first-level cache.</summary>
internal static unsafe class Pointwise
{
    private const int Piece = 4096, Lanes = 8;

    public static void Run(Operator op, Activation x, Activation output, WorkerPool? pool)
    {
        int count = x.Span.Length;
        var function = PlaneFunction.Of(op);
        pool.RunParts((count + Piece - 1) / Piece, part =>
        {
            int start = part * Piece, length = Math.Min(Piece, count - start);
            Apply(function, x.Span.Slice(start, length), output.Span.Slice(start, length));
        });
    }

    /// <summary>y = f(x), the last values through a register filled up with zeros, so that a value's bits do not depend on its place.</summary>
    private static void Apply(PlaneFunction function, ReadOnlySpan<float> x, Span<float> y)
    {
        int whole = x.Length / Lanes * Lanes, rest = x.Length - whole;
        fixed (float* source = x, target = y)
            function.Apply(source, target, whole);
        if (rest == 0)
            return;
        float* last = stackalloc float[Lanes];
        new Span<float>(last, Lanes).Clear();
        x[whole..].CopyTo(new(last, Lanes));
        function.Apply(last, last, Lanes);
        new ReadOnlySpan<float>(last, rest).CopyTo(y[whole..]);
    }

    /// <summary>y = op(x) for the functions that have no form for registers.</summary>
    internal static void ApplyScalar(Operator op, ReadOnlySpan<float> x, Span<float> y)
    {
        switch (op)
        {
            case Unary { Function: UnaryFunction.Log }:
                TensorPrimitives.Log(x, y);
                break;
            case Unary { Function: UnaryFunction.Sqrt }:
                TensorPrimitives.Sqrt(x, y);
                break;
            case Unary { Function: UnaryFunction.Abs }:
                TensorPrimitives.Abs(x, y);
                break;
            case Unary { Function: UnaryFunction.Neg }:
                TensorPrimitives.Negate(x, y);
                break;
            case Unary { Function: UnaryFunction.Reciprocal }:
                TensorPrimitives.Divide(1f, x, y);
                break;
            case Unary { Function: UnaryFunction.Floor }:
                TensorPrimitives.Floor(x, y);
                break;
            case Unary { Function: UnaryFunction.Ceil }:
                TensorPrimitives.Ceiling(x, y);
                break;
            case Unary { Function: UnaryFunction.Round }:
                TensorPrimitives.Round(x, y);
                break;
            default:
                Func<float, float> function = Scalar(op);
                for (int i = 0; i < x.Length; i++)
                    y[i] = function(x[i]);
                break;
        }
    }

    private static Func<float, float> Scalar(Operator op) => op switch
    {
        Unary { Function: UnaryFunction.Softplus } => v => MathF.Max(v, 0) + (float)Math.Log(1 + Math.Exp(-Math.Abs((double)v))),
        Unary { Function: UnaryFunction.Softsign } => v => v / (1 + MathF.Abs(v)),
        Unary { Function: UnaryFunction.Sign } => v => v > 0 ? 1 : v < 0 ? -1 : v,
        Unary { Function: UnaryFunction.Sin } => MathF.Sin,
        Unary { Function: UnaryFunction.Cos } => MathF.Cos,
        ThresholdedRelu threshold => v => v > threshold.Alpha ? v : 0,
        _ => throw new ArgumentException($"{op.OnnxName} is not a function of one value.", nameof(op)),
    };
}
