using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Functions of one value, in pieces that fit the first-level cache.</summary>
internal static unsafe class Pointwise
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
            case Unary unary:
                Apply(unary.Function, x, y);
                break;
            case HardSigmoid hard:
                Map(new HardSigmoid256(hard.Alpha, hard.Beta), x, y);
                break;
            case LeakyRelu leaky:
                Map(new LeakyRelu256(leaky.Alpha), x, y);
                break;
            case Clip clip:
                Map(new Clip256(clip.Minimum, clip.Maximum), x, y);
                break;
            case Elu elu:
                Map(new Elu256(1, elu.Alpha, 1), x, y);
                break;
            case Selu selu:
                Map(new Elu256(selu.Gamma, selu.Gamma * selu.Alpha, 1), x, y);
                break;
            case Celu celu:
                Map(new Elu256(1, celu.Alpha, celu.Alpha), x, y);
                break;
            case Gelu { Tanh: false }:
                Map(new Gated256<Normal256>(default), x, y);
                break;
            case Gelu:
                Map(new Gated256<NearlyNormal256>(default), x, y);
                break;
            case Silu:
                Map(new Gated256<Sigmoid256>(default), x, y);
                break;
            case ThresholdedRelu threshold:
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] > threshold.Alpha ? x[i] : 0;
                break;
            default:
                throw new ArgumentException($"{op.OnnxName} is not a function of one value.", nameof(op));
        }
    }

    private static void Apply(UnaryFunction function, ReadOnlySpan<float> x, Span<float> y)
    {
        switch (function)
        {
            case UnaryFunction.Relu:
                Map(default(Relu256), x, y);
                break;
            case UnaryFunction.Sigmoid:
                Map(default(Sigmoid256), x, y);
                break;
            case UnaryFunction.HardSwish:
                Map(new Gated256<HardSigmoid256>(new(1f / 6, 0.5f)), x, y);
                break;
            case UnaryFunction.Tanh:
                Map(default(Tanh256), x, y);
                break;
            case UnaryFunction.Exp:
                Map(default(Exp256), x, y);
                break;
            case UnaryFunction.Erf:
                Map(default(Erf256), x, y);
                break;
            case UnaryFunction.Mish:
                Map(new Gated256<Mish256>(default), x, y);
                break;
            case UnaryFunction.Log:
                TensorPrimitives.Log(x, y);
                break;
            case UnaryFunction.Sqrt:
                TensorPrimitives.Sqrt(x, y);
                break;
            case UnaryFunction.Abs:
                TensorPrimitives.Abs(x, y);
                break;
            case UnaryFunction.Neg:
                TensorPrimitives.Negate(x, y);
                break;
            case UnaryFunction.Reciprocal:
                TensorPrimitives.Divide(1f, x, y);
                break;
            case UnaryFunction.Softplus:
                for (int i = 0; i < x.Length; i++)
                    y[i] = MathF.Max(x[i], 0) + (float)Math.Log(1 + Math.Exp(-Math.Abs((double)x[i])));
                break;
            case UnaryFunction.Softsign:
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] / (1 + MathF.Abs(x[i]));
                break;
            case UnaryFunction.Floor:
                TensorPrimitives.Floor(x, y);
                break;
            case UnaryFunction.Ceil:
                TensorPrimitives.Ceiling(x, y);
                break;
            case UnaryFunction.Round:
                TensorPrimitives.Round(x, y);
                break;
            case UnaryFunction.Sign:
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] > 0 ? 1 : x[i] < 0 ? -1 : x[i];
                break;
            case UnaryFunction.Sin:
                for (int i = 0; i < x.Length; i++)
                    y[i] = MathF.Sin(x[i]);
                break;
            case UnaryFunction.Cos:
                for (int i = 0; i < x.Length; i++)
                    y[i] = MathF.Cos(x[i]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(function), function, null);
        }
    }

    /// <summary>y = f(x), eight at a time and the last ones through a register filled up with zeros, so that a value's bits do not depend on its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<T>(T function, ReadOnlySpan<float> x, Span<float> y)
        where T : struct, IVectorFunction
    {
        fixed (float* source = x, target = y)
        {
            int i = 0;
            for (; i <= x.Length - 8; i += 8)
                function.Value(Vector256.Load(source + i)).Store(target + i);
            if (i == x.Length)
                return;
            float* rest = stackalloc float[8];
            Vector256<float>.Zero.Store(rest);
            new ReadOnlySpan<float>(source + i, x.Length - i).CopyTo(new(rest, 8));
            function.Value(Vector256.Load(rest)).Store(rest);
            new ReadOnlySpan<float>(rest, x.Length - i).CopyTo(y[i..]);
        }
    }
}
