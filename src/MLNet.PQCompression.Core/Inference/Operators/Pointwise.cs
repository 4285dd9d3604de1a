using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Functions of one value, in pieces that fit the first-level cache.</summary>
internal static class Pointwise
{
    private const int Piece = 4096;

    public static void Run(Operator op, Activation x, Activation output, WorkerPool? pool)
    {
        int count = x.Span.Length;
        pool.RunParts((count + Piece - 1) / Piece, part =>
        {
            int start = part * Piece, length = Math.Min(Piece, count - start);
            Apply(op, x.Span.Slice(start, length), output.Span.Slice(start, length));
        });
    }

    /// <summary>y = op(x); x and y may be the same span.</summary>
    public static void Apply(Operator op, ReadOnlySpan<float> x, Span<float> y)
    {
        switch (op)
        {
            case Unary { Function: UnaryFunction.Relu }:
                TensorPrimitives.Max(x, 0f, y);
                break;
            case Unary { Function: UnaryFunction.Sigmoid }:
                TensorPrimitives.Sigmoid(x, y);
                break;
            case Unary { Function: UnaryFunction.Tanh }:
                TensorPrimitives.Tanh(x, y);
                break;
            case Unary { Function: UnaryFunction.HardSwish }:
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] * Clamp(x[i] * (1f / 6) + 0.5f, 0, 1);
                break;
            case HardSigmoid hard:
                for (int i = 0; i < x.Length; i++)
                    y[i] = Clamp(x[i] * hard.Alpha + hard.Beta, 0, 1);
                break;
            case LeakyRelu leaky:
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] < 0 ? leaky.Alpha * x[i] : x[i];
                break;
            case Clip clip:
                for (int i = 0; i < x.Length; i++)
                    y[i] = Clamp(x[i], clip.Minimum, clip.Maximum);
                break;
            default:
                throw new ArgumentException($"{op.OnnxName} is not a function of one value.", nameof(op));
        }
    }

    /// <summary>min(max(x, minimum), maximum), also where the minimum is above the maximum; NaN stays NaN.</summary>
    private static float Clamp(float x, float minimum, float maximum) => MathF.Min(MathF.Max(x, minimum), maximum);
}
