using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;
using Reduce = MLNet.PQCompression.Graph.Reduce;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Operators that join values along dimensions: reductions, and normalization by what they find.</summary>
internal static class Joins
{
    /// <summary>A reduction.</summary>
    public static Tensor Reduce(Reduce reduce, Tensor x)
    {
        if (reduce.Axes.IsEmpty)
            return Reduce(new(reduce.Function, [(int)x.dim()], KeepDimensions: false), x.unsqueeze(-1)); // each value by itself; to libtorch no axes are all axes
        long[] axes = [.. reduce.Axes.Select(a => (long)a)];
        bool keep = reduce.KeepDimensions;
        return reduce.Function switch
        {
            ReduceFunction.Mean => x.mean(axes, keep),
            ReduceFunction.Sum => x.sum(axes, keep),
            ReduceFunction.Max => x.amax(axes, keep),
            ReduceFunction.Min => x.amin(axes, keep),
            ReduceFunction.Prod => axes.OrderDescending().Aggregate(x, (product, axis) => product.prod(axis, keep)),
            ReduceFunction.L1 => x.abs().sum(axes, keep),
            ReduceFunction.L2 => linalg.vector_norm(x, 2, axes, keep),
            ReduceFunction.SumSquare => x.mul(x).sum(axes, keep),
            ReduceFunction.LogSum => x.sum(axes, keep).log(),
            ReduceFunction.LogSumExp => LogSumExp(x, axes, keep),
            _ => throw new ArgumentOutOfRangeException(nameof(reduce)),
        };
    }

    /// <summary>Each channel of each image by its own mean and variance.</summary>
    public static Tensor Normalize(InstanceNormalization op, Tensor x, Tensor scale, Tensor bias)
    {
        long[] channels = [1, x.shape[1], .. Enumerable.Repeat(1L, (int)x.dim() - 2)];
        return Standardize(x, 2, op.Epsilon).mul(scale.reshape(channels)).add(bias.reshape(channels), Scalars.Alpha);
    }

    /// <summary>The dimensions from an axis on by their mean and variance.</summary>
    public static Tensor Normalize(LayerNormalization op, Tensor x, Tensor scale, Tensor? bias)
    {
        Tensor y = Standardize(x, op.Axis, op.Epsilon).mul(scale);
        return bias is null ? y : y.add(bias, Scalars.Alpha);
    }

    private static Tensor Standardize(Tensor x, int axis, float epsilon)
    {
        long[] axes = [.. Enumerable.Range(axis, (int)x.dim() - axis).Select(a => (long)a)];
        using Scalar least = epsilon.ToScalar();
        Tensor centred = x.sub(x.mean(axes, true));
        return centred.div(centred.mul(centred).mean(axes, true).add(least).sqrt());
    }

    private static Tensor LogSumExp(Tensor x, long[] axes, bool keep)
    {
        Tensor largest = x.detach().amax(axes, true), sum = x.sub(largest).exp().sum(axes, keep).log();
        return sum.add(largest.reshape(sum.shape), Scalars.Alpha);
    }
}
