using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Operators that move values, or sample them at other positions.</summary>
internal static class MovingTensors
{
    /// <summary>A padded tensor; what stands in the padding is taken dimension by dimension.</summary>
    public static Tensor Pad(Pad pad, Tensor x, TensorShape shape)
    {
        if (pad.Mode == PadMode.Constant)
            return F.pad(x, (long[])[.. Enumerable.Range(1, pad.Before.Length).SelectMany(i => new long[] { pad.Before[^i], pad.After[^i] })], PaddingModes.Constant, pad.Value);
        for (int axis = 0; axis < shape.Rank; axis++)
            if (pad.Before[axis] != 0 || pad.After[axis] != 0)
            {
                int before = pad.Before[axis], size = (int)x.shape[axis];
                x = Select(x, axis, Enumerable.Range(-before, shape[axis]).Select(i => i >= 0 && i < size ? i : Rearrangement.Origin(pad.Mode, i, size)));
            }
        return x;
    }

    /// <summary>Ranges of some dimensions.</summary>
    public static Tensor Slice(Slice slice, Tensor x)
    {
        foreach (SliceRange range in slice.Ranges)
        {
            (int start, int count) = ShapeInference.Resolve(range, (int)x.shape[range.Axis]);
            x = range.Step > 0
                ? x.slice(range.Axis, start, start + (count - 1L) * range.Step + 1, range.Step)
                : Select(x, range.Axis, Enumerable.Range(0, count).Select(i => start + i * range.Step));
        }
        return x;
    }

    /// <summary>Elements along a dimension.</summary>
    public static Tensor Gather(Gather gather, Tensor x, TensorShape shape)
    {
        int size = (int)x.shape[gather.Axis];
        return Select(x, gather.Axis, gather.Indices.Select(i => i < 0 ? i + size : i)).reshape(TorchOperators.Longs(shape));
    }

    /// <summary>The whole as often as the shape is larger; dimensions before the tensor's own are new.</summary>
    public static Tensor Repeat(Tensor x, TensorShape shape)
    {
        long[] own = [.. Enumerable.Repeat(1L, shape.Rank - (int)x.dim()), .. x.shape];
        return x.reshape(own).repeat([.. own.Select((d, i) => shape[i] / d)]);
    }

    /// <summary>Channels become pixels.</summary>
    public static Tensor DepthToSpace(DepthToSpace space, Tensor x, TensorShape shape)
    {
        long b = space.BlockSize, n = x.shape[0], c = shape[1], h = x.shape[2], w = x.shape[3];
        Tensor blocks = space.ColumnsFirst ? x.reshape(n, c, b, b, h, w).permute(0, 1, 4, 2, 5, 3) : x.reshape(n, b, b, c, h, w).permute(0, 3, 4, 1, 5, 2);
        return blocks.reshape(TorchOperators.Longs(shape));
    }

    /// <summary>Pixels become channels.</summary>
    public static Tensor SpaceToDepth(SpaceToDepth depth, Tensor x, TensorShape shape)
    {
        long b = depth.BlockSize, n = x.shape[0], c = x.shape[1], h = shape[2], w = shape[3];
        return x.reshape(n, c, h, b, w, b).permute(0, 3, 5, 1, 2, 4).reshape(TorchOperators.Longs(shape));
    }

    /// <summary>Samples one dimension after the other: a sum of the values at each tap, weighted.</summary>
    public static Tensor Resize(Resize resize, Tensor x, TensorShape shape)
    {
        foreach (int axis in Enumerable.Range(0, shape.Rank).OrderBy(i => shape[i] > x.shape[i])) // what grows comes last
        {
            int size = (int)x.shape[axis], outputs = shape[axis];
            if (size == outputs && resize.Scale(axis, size) == 1)
                continue;
            ResizeTaps taps = ResizeTaps.Of(resize, axis, size, outputs);
            long[] along = [.. Enumerable.Range(0, shape.Rank).Select(i => i == axis ? (long)outputs : 1)];
            Tensor from = x;
            x = Enumerable.Range(0, taps.Taps).Select(tap =>
            {
                Tensor values = Select(from, axis, Enumerable.Range(0, outputs).Select(o => taps.Positions[o * taps.Taps + tap]));
                float[] weights = [.. Enumerable.Range(0, outputs).Select(o => taps.Weights[o * taps.Taps + tap])];
                return taps.Taps == 1 ? values : values.mul(HostMemory.Upload<float>(weights, along, x.device));
            }).Aggregate((a, b) => a.add(b, Scalars.Alpha));
        }
        return x;
    }

    private static Tensor Select(Tensor x, int axis, IEnumerable<int> positions)
    {
        long[] indices = [.. positions.Select(i => (long)i)];
        return x.index_select(axis, HostMemory.Upload<long>(indices, [indices.Length], x.device));
    }
}
