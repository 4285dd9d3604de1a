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

    /// <summary>Computes an operator.</summary>
    /// <param name="op">The operator; every one of a graph has a counterpart, but those that ONNX Runtime runs.</param>
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
                return inputs.Length > 2 ? products.add(mode.Reduce(inputs[2]), Scalars.Alpha) : products;
            case ConvTranspose conv:
                return Transpose(conv, x, inputs[1], inputs.ElementAtOrDefault(2), shape, mode);
            case InstanceNormalization normalization:
                return Joins.Normalize(normalization, x, inputs[1], inputs[2]);
            case LayerNormalization normalization:
                return Joins.Normalize(normalization, x, inputs[1], inputs.ElementAtOrDefault(2));
            case PointwiseOperator pointwise:
                return PointwiseTensors.Apply(pointwise, x);
            case Binary binary:
                return PointwiseTensors.Apply(binary.Function, x, inputs[1]);
            case Concat concat:
                return cat(inputs, concat.Axis);
            case Pad pad:
                return MovingTensors.Pad(pad, x, shape);
            case Slice slice:
                return MovingTensors.Slice(slice, x);
            case Gather gather:
                return MovingTensors.Gather(gather, x, shape);
            case Expand or Tile:
                return MovingTensors.Repeat(x, shape);
            case DepthToSpace space:
                return MovingTensors.DepthToSpace(space, x, shape);
            case SpaceToDepth depth:
                return MovingTensors.SpaceToDepth(depth, x, shape);
            case Resize resize:
                return MovingTensors.Resize(resize, x, shape);
            case MaxPool pool:
                return Pools.Maximum(pool, x, shape);
            case AveragePool pool:
                return Pools.Mean(pool, x, shape);
            case GlobalAveragePool:
                return x.mean([2, 3], true);
            case GlobalMaxPool:
                return x.amax([2L, 3L], true);
            case Reduce reduce:
                return Joins.Reduce(reduce, x);
            case Flatten or Reshape:
                return x.reshape(Longs(shape));
            case Transpose transpose:
                return x.permute((long[])[.. transpose.Permutation.Select(a => (long)a)]);
            case Softmax softmax:
                return x.softmax(softmax.Axis);
            case LogSoftmax softmax:
                return x.log_softmax(softmax.Axis);
            case Lrn lrn:
                return NormalizeAcrossChannels(lrn, x);
            default:
                throw new UnsupportedOperatorException(op.OnnxName, shape.ToString(), "the torch backend has no counterpart of this operator");
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

    /// <summary>The whole transposed convolution; then what the window's padding cuts goes, and what it lacks is added.</summary>
    private static Tensor Transpose(ConvTranspose conv, Tensor x, Tensor weight, Tensor? bias, TensorShape shape, OperatorMode mode)
    {
        Window w = conv.Window;
        Tensor whole = F.conv_transpose2d(mode.Reduce(x), mode.Reduce(weight), null, [w.StrideY, w.StrideX], [0, 0], [0, 0], [w.DilationY, w.DilationX], conv.Group);
        long below = shape[2] - whole.shape[2] + w.PadTop, right = shape[3] - whole.shape[3] + w.PadLeft;
        Tensor y = F.pad(whole, (long[])[-w.PadLeft, right, -w.PadTop, below]);
        return bias is null ? y : y.add(mode.Reduce(bias).reshape(1, -1, 1, 1), Scalars.Alpha);
    }

    private static Tensor Multiply(Gemm gemm, Tensor a, Tensor b, Tensor? c, OperatorMode mode)
    {
        a = mode.Reduce(gemm.TransposeA ? a.t() : a);
        b = mode.Reduce(gemm.TransposeB ? b.t() : b);
        return c is null ? addmm(empty(a.shape[0], b.shape[1], a.dtype, a.device), a, b, 0, gemm.Alpha) : addmm(mode.Reduce(c), a, b, gemm.Beta, gemm.Alpha);
    }

    /// <summary>Products of the matrices of the last two dimensions, a vector being a row in front and a column behind; the others are broadcast. (libtorch's own form of it ends the process on a mismatch.)</summary>
    private static Tensor MultiplyMatrices(Tensor a, Tensor b, TensorShape shape)
    {
        Tensor row = a.dim() == 1 ? a.unsqueeze(0) : a, column = b.dim() == 1 ? b.unsqueeze(1) : b;
        long[] outer = Longs(shape)[..^((a.dim() == 1 ? 0 : 1) + (b.dim() == 1 ? 0 : 1))], left = [.. outer, row.shape[^2], row.shape[^1]], right = [.. outer, column.shape[^2], column.shape[^1]];
        return row.expand(left).reshape(-1, left[^2], left[^1]).bmm(column.expand(right).reshape(-1, right[^2], right[^1])).reshape(Longs(shape));
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
