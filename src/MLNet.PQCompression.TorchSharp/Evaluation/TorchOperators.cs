using System.Collections.Frozen;
using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Reduce = MLNet.PQCompression.Graph.Reduce;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>The operators of a <see cref="ModelGraph"/> by those of libtorch. All are differentiable.</summary>
/// <remarks>Inputs have shapes that <see cref="ShapeInference"/> has accepted. What is made on the way is left to the dispose scope.</remarks>
internal static class TorchOperators
{
    /// <summary>How far running statistics move towards the batch's in a step.</summary>
    private const double Momentum = 0.1;

    /// <summary>The operators that have one.</summary>
    public static FrozenSet<Type> Counterparts { get; } =
    [
        typeof(Conv), typeof(BatchNormalization), typeof(Gemm), typeof(MatMul), typeof(Unary), typeof(Clip), typeof(HardSigmoid), typeof(LeakyRelu), typeof(Binary), typeof(Concat), typeof(Pad),
        typeof(Slice), typeof(MaxPool), typeof(AveragePool), typeof(GlobalAveragePool), typeof(GlobalMaxPool), typeof(Reduce), typeof(Flatten), typeof(Reshape), typeof(Transpose),
        typeof(Softmax), typeof(Lrn),
    ];

    /// <summary>Whether there is a counterpart.</summary>
    public static bool Has(Operator op) => op switch
    {
        Unary unary => unary.Function <= UnaryFunction.Tanh,
        Binary binary => binary.Function != BinaryFunction.PRelu,
        Pad pad => pad.Mode == PadMode.Constant,
        Slice slice => slice.Ranges.All(r => r.Step > 0),
        Reduce reduce => reduce.Function == ReduceFunction.Mean,
        _ => Counterparts.Contains(op.GetType()),
    };

    /// <summary>Computes an operator.</summary>
    /// <param name="op">One that <see cref="Has"/>.</param>
    /// <param name="inputs">Its inputs, in ONNX order.</param>
    /// <param name="shape">The output's shape.</param>
    /// <param name="mode">How to train, or <see cref="OperatorMode.Evaluation"/>.</param>
    public static Tensor Compute(Operator op, Tensor[] inputs, TensorShape shape, OperatorMode mode)
    {
        Tensor x = inputs[0];
        switch (op)
        {
            case Conv conv:
                return Convolve(conv, x, inputs[1], inputs.ElementAtOrDefault(2), mode);
            case BatchNormalization normalization:
                return F.batch_norm(x, inputs[3], inputs[4], inputs[1], inputs[2], mode.BatchStatistics, Momentum, normalization.Epsilon);
            case Gemm gemm:
                return Multiply(gemm, x, inputs[1], inputs.ElementAtOrDefault(2), mode);
            case MatMul when x.dim() == 2 && inputs[1].dim() == 2:
                return Multiply(new(), x, inputs[1], inputs.ElementAtOrDefault(2), mode);
            case MatMul:
                Tensor products = MultiplyMatrices(mode.Reduce(x), mode.Reduce(inputs[1]), shape);
                return inputs.Length > 2 ? products + inputs[2] : products;
            case Unary or Clip or HardSigmoid or LeakyRelu:
                return Apply(op, x);
            case Binary binary:
                return binary.Function switch
                {
                    BinaryFunction.Add => x.add(inputs[1]),
                    BinaryFunction.Sub => x.sub(inputs[1]),
                    BinaryFunction.Mul => x.mul(inputs[1]),
                    BinaryFunction.Max => x.maximum(inputs[1]),
                    BinaryFunction.Min => x.minimum(inputs[1]),
                    BinaryFunction.Pow => x.pow(inputs[1]),
                    _ => x.div(inputs[1]),
                };
            case Concat concat:
                return cat(inputs, concat.Axis);
            case Pad pad:
                return F.pad(x, (long[])[.. Enumerable.Range(1, pad.Before.Length).SelectMany(i => new long[] { pad.Before[^i], pad.After[^i] })], PaddingModes.Constant, pad.Value);
            case Slice slice:
                foreach (SliceRange range in slice.Ranges)
                {
                    (int start, int count) = ShapeInference.Resolve(range, (int)x.shape[range.Axis]);
                    x = x.slice(range.Axis, start, start + (count - 1L) * range.Step + 1, range.Step);
                }
                return x;
            case MaxPool pool:
                return Pools.Maximum(pool, x, shape);
            case AveragePool pool:
                return Pools.Mean(pool, x, shape);
            case GlobalAveragePool:
                return x.mean([2, 3], true);
            case GlobalMaxPool:
                return x.amax([2L, 3L], true);
            case Reduce mean:
                return x.mean([.. mean.Axes.Select(a => (long)a)], mean.KeepDimensions);
            case Flatten or Reshape:
                return x.reshape(Longs(shape));
            case Transpose transpose:
                return x.permute((long[])[.. transpose.Permutation.Select(a => (long)a)]);
            case Softmax softmax:
                return x.softmax(softmax.Axis);
            case Lrn lrn:
                return NormalizeAcrossChannels(lrn, x);
            default:
                throw new ArgumentException($"{op.OnnxName} has no counterpart.", nameof(op));
        }
    }

    /// <summary>A shape as libtorch takes it.</summary>
    public static long[] Longs(TensorShape shape) => [.. shape.Dimensions.Select(d => (long)d)];

    /// <summary>A tensor's shape.</summary>
    public static TensorShape ShapeOf(Tensor tensor) => new([.. tensor.shape.Select(d => checked((int)d))]);

    private static Tensor Convolve(Conv conv, Tensor x, Tensor weight, Tensor? bias, OperatorMode mode)
    {
        Window w = conv.Window;
        bool isEven = w.PadTop == w.PadBottom && w.PadLeft == w.PadRight;
        if (!isEven)
            x = F.pad(x, (long[])[w.PadLeft, w.PadRight, w.PadTop, w.PadBottom]);
        return F.conv2d(
            mode.Reduce(x), mode.Reduce(weight), bias is null ? null : mode.Reduce(bias), [w.StrideY, w.StrideX], isEven ? [w.PadTop, w.PadLeft] : [0, 0],
            [w.DilationY, w.DilationX], conv.Group);
    }

    private static Tensor Multiply(Gemm gemm, Tensor a, Tensor b, Tensor? c, OperatorMode mode)
    {
        a = mode.Reduce(gemm.TransposeA ? a.t() : a);
        b = mode.Reduce(gemm.TransposeB ? b.t() : b);
        return c is null ? addmm(empty(a.shape[0], b.shape[1], a.dtype, a.device), a, b, 0, gemm.Alpha) : addmm(mode.Reduce(c), a, b, gemm.Beta, gemm.Alpha);
    }

    /// <summary>Products of the matrices of the last two dimensions; the others are broadcast. (libtorch's own form of it ends the process on a mismatch.)</summary>
    private static Tensor MultiplyMatrices(Tensor a, Tensor b, TensorShape shape)
    {
        long[] outer = Longs(shape)[..^2], left = [.. outer, a.shape[^2], a.shape[^1]], right = [.. outer, b.shape[^2], b.shape[^1]];
        return a.expand(left).reshape(-1, left[^2], left[^1]).bmm(b.expand(right).reshape(-1, right[^2], right[^1])).reshape(Longs(shape));
    }

    private static Tensor Apply(Operator op, Tensor x)
    {
        switch (op)
        {
            case Unary unary:
                return unary.Function switch
                {
                    UnaryFunction.Relu => x.relu(),
                    UnaryFunction.Sigmoid => x.sigmoid(),
                    UnaryFunction.HardSwish => x.hardswish(),
                    _ => x.tanh(),
                };
            case Clip clip:
                {
                    using Scalar minimum = clip.Minimum.ToScalar(), maximum = clip.Maximum.ToScalar();
                    return x.clamp(minimum, maximum);
                }
            case HardSigmoid hard:
                {
                    using Scalar alpha = hard.Alpha.ToScalar(), beta = hard.Beta.ToScalar();
                    return x.mul(alpha).add(beta).clamp(Scalars.Zero, Scalars.One);
                }
            default:
                {
                    using Scalar slope = ((LeakyRelu)op).Alpha.ToScalar();
                    return x.leaky_relu(slope);
                }
        }
    }

    private static Tensor NormalizeAcrossChannels(Lrn op, Tensor x)
    {
        using Scalar alpha = (op.Alpha / op.Size).ToScalar(), bias = op.Bias.ToScalar(), beta = op.Beta.ToScalar();
        Tensor squares = F.pad(x.mul(x), (long[])[0, 0, 0, 0, (op.Size - 1) / 2, op.Size / 2]).unfold(1, op.Size, 1).sum(-1L);
        return x.div(squares.mul(alpha).add(bias).pow(beta));
    }
}

/// <summary>How operators are computed.</summary>
/// <param name="BatchStatistics">Whether BatchNormalization uses the batch's statistics and moves the running ones.</param>
/// <param name="ReducedPrecision">Whether products are made of bfloat16.</param>
internal readonly record struct OperatorMode(bool BatchStatistics = false, bool ReducedPrecision = false)
{
    /// <summary>Everything in float32 and nothing moves.</summary>
    public static OperatorMode Evaluation => default;

    /// <summary>A factor of a product in the precision asked for.</summary>
    public Tensor Reduce(Tensor x) => ReducedPrecision ? x.to(ScalarType.BFloat16) : x;
}
