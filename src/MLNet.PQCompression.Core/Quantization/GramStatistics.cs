using System.Buffers;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>The Gram matrix G = Σx̃ᵀx̃ of a layer's input blocks, over all positions, groups and blocks of a row (paper, section 3.2), times a power of four where float32 would not hold the squares.</summary>
public sealed class GramStatistics
{
    private readonly LayerGeometry _geometry;
    private readonly int _blockSize;
    private readonly double[] _gram;
    private float? _scale;

    /// <summary>An empty sum.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="blockSize">d, which divides the layer's row length.</param>
    /// <param name="scale">The power of two that inputs are multiplied by, the same in all sums that are to be added, or null for one that suits the first batch.</param>
    public GramStatistics(LayerGeometry geometry, int blockSize, float? scale = null)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        (_geometry, _blockSize, _scale, _gram) = (geometry, blockSize, scale, new double[blockSize * blockSize]);
    }

    /// <summary>G, d×d.</summary>
    public ReadOnlySpan<double> Gram => _gram;

    /// <summary>The power of two that suits a batch of inputs; see <see cref="Add"/>.</summary>
    internal static float ScaleOf(LayerGeometry geometry, Activation input, int positionsPerImage, int seed, WorkerPool? pool)
    {
        var sampler = new PatchSampler(geometry, input, positionsPerImage, seed);
        var rows = new float[sampler.Count * geometry.RowLength];
        sampler.GatherInputs(0, rows, pool);
        return RowOrigin.ScaleFor(rows);
    }

    /// <summary>Adds a batch of inputs.</summary>
    /// <param name="input">The layer's input, N×C×H×W or N×K.</param>
    /// <param name="positionsPerImage">How many positions of each image are taken at most.</param>
    /// <param name="seed">Seed of the positions.</param>
    /// <param name="pool">The threads to share.</param>
    public void Add(Activation input, int positionsPerImage, int seed, WorkerPool? pool = null)
    {
        var sampler = new PatchSampler(_geometry, input, positionsPerImage, seed);
        int length = sampler.Count * _geometry.RowLength;
        float[] rows = ArrayPool<float>.Shared.Rent(length);
        var batch = new float[_gram.Length];
        for (int group = 0; group < _geometry.Groups; group++)
        {
            sampler.GatherInputs(group, rows.AsMemory(0, length), pool);
            _scale ??= RowOrigin.ScaleFor(rows.AsSpan(0, length));
            if (_scale is { } scale and not 1)
                System.Numerics.Tensors.TensorPrimitives.Multiply(rows.AsSpan(0, length), scale, rows.AsSpan(0, length));
            MatrixProduct.SymmetricRankUpdate(_blockSize, length / _blockSize, rows, _blockSize, batch, _blockSize, pool);
        }
        ArrayPool<float>.Shared.Return(rows);
        for (int i = 0; i < batch.Length; i++)
            _gram[i] += batch[i];
    }
}
