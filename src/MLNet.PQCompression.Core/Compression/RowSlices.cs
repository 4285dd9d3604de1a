using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Layers so wide that H, n×n, does not fit into memory, such as the first linear layer of a VGG with its 25,088 inputs: their rows are cut into slices, and errors in one slice are taken as independent of
/// those in another (<see cref="LayerGeometry.Sliced"/>).
/// </summary>
/// <remarks>
/// A slice's target is what the teacher's weight makes of its inputs, and an equal share of what all slices together leave between that and the teacher's output. So each slice undoes its share of the drift of
/// lower layers; the mean of projections is a step of Cimmino's method for linear systems.
/// </remarks>
internal static class RowSlices
{
    /// <summary>The share of the memory that a layer's statistics may take; activations need the rest.</summary>
    private const double MemoryShare = 7.0 / 8;

    /// <summary>Slices are not made shorter than this.</summary>
    private const int LeastLength = 256;

    /// <summary>The fewest slices whose statistics fit; where none do, those that take the least.</summary>
    /// <param name="geometry">The layer, whole.</param>
    /// <param name="blockSize">d; no block lies in two slices.</param>
    /// <param name="options">The method, and the bytes that may be taken.</param>
    public static int Count(LayerGeometry geometry, int blockSize, CompressionOptions options)
    {
        if (options.Method != CompressionMethod.Output || geometry.Groups > 1)
            return 1;
        int channels = geometry.Window is { } window ? geometry.RowLength / (window.KernelHeight * window.KernelWidth) : geometry.RowLength, count = 1;
        for (int slices = 1; slices <= channels && geometry.RowLength / slices >= Math.Min(LeastLength, geometry.RowLength); slices++)
        {
            if (channels % slices != 0 || geometry.RowLength / slices % blockSize != 0)
                continue;
            count = slices;
            if (CompressionMemory.StatisticsBytes(geometry.Sliced(slices), options.Method, options.Collective is not null) <= MemoryShare * options.MaxActivationBytes)
                break;
        }
        return count;
    }

    /// <summary>The rows of a weight, slice by slice.</summary>
    /// <param name="weight">W, rows×n.</param>
    /// <param name="geometry">The layer, sliced.</param>
    public static float[] Cut(ReadOnlySpan<float> weight, LayerGeometry geometry)
    {
        (int rows, int length) = (geometry.RowsPerGroup, geometry.RowLength);
        var cut = new float[weight.Length];
        for (int o = 0; o < geometry.Rows; o++)
            weight.Slice(o % rows * length * geometry.Groups + o / rows * length, length).CopyTo(cut.AsSpan(o * length));
        return cut;
    }

    /// <summary>The codes of whole rows, [rows, m], and the shifts of their outputs, which are the sums of those of the slices. Scales are not taken of slices.</summary>
    /// <param name="codes">Slice by slice the codes of all rows.</param>
    /// <param name="shifts">Likewise their shifts.</param>
    /// <param name="geometry">The layer, sliced.</param>
    public static (ushort[] Codes, double[] Shifts) Join(ushort[] codes, double[] shifts, LayerGeometry geometry)
    {
        (int rows, int blocks) = (geometry.RowsPerGroup, codes.Length / geometry.Rows);
        var joined = new ushort[codes.Length];
        var sums = new double[rows];
        for (int o = 0; o < geometry.Rows; o++)
        {
            codes.AsSpan(o * blocks, blocks).CopyTo(joined.AsSpan(o % rows * blocks * geometry.Groups + o / rows * blocks));
            sums[o % rows] += shifts[o];
        }
        return (joined, sums);
    }

    /// <summary>What the outputs of each slice are to be, N×Rows×…, behind each other as the groups of a convolution.</summary>
    /// <param name="input">The student's input, in the form of a convolution or of a plain product.</param>
    /// <param name="output">The teacher's output for it.</param>
    /// <param name="weight">The teacher's weight, cut.</param>
    /// <param name="geometry">The layer, sliced.</param>
    /// <param name="pool">The threads to share.</param>
    public static Activation Targets(Activation input, Activation output, float[] weight, LayerGeometry geometry, WorkerPool? pool)
    {
        (int rows, int length, int slices) = (geometry.RowsPerGroup, geometry.RowLength, geometry.Groups);
        var sampler = new PatchSampler(geometry, input, int.MaxValue, 0);
        int images = input.Shape[0], count = sampler.Count, positions = count / Math.Max(1, images);
        var targets = new Activation(new([images, geometry.Rows, .. output.Shape.Dimensions[2..]]));
        (float[] inputs, float[] products, float[] rest) = (new float[count * length], new float[count * rows], output.Span.ToArray());
        for (int s = 0; s < slices; s++)
        {
            sampler.GatherInputs(s, inputs, pool);
            MatrixProduct.Multiply(false, true, count, rows, length, inputs, length, weight.AsSpan(s * rows * length, rows * length), length, 0, products, rows, pool);
            int slice = s;
            pool.RunParts(images, image =>
            {
                Span<float> own = targets.Span.Slice((image * slices + slice) * rows * positions, rows * positions), left = rest.AsSpan(image * rows * positions, rows * positions);
                Initializer.Exchange(products.AsSpan(image * positions * rows, positions * rows), new(positions, rows)).CopyTo(own);
                System.Numerics.Tensors.TensorPrimitives.Subtract(left, own, left);
            });
        }
        pool.RunParts(images * slices, part =>
        {
            Span<float> own = targets.Span.Slice(part * rows * positions, rows * positions);
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(rest.AsSpan(part / slices * rows * positions, rows * positions), 1f / slices, own, own);
        });
        return targets;
    }
}
