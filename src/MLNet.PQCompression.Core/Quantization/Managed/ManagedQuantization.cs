using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>The steps of quantization on the processor's vectors.</summary>
/// <param name="workers">The threads to share, or null for the caller's alone; they stay the caller's.</param>
public sealed class ManagedQuantization(WorkerPool? workers = null) : IQuantizationBackend
{
    /// <inheritdoc/>
    public WorkerPool? Workers => workers;

    /// <inheritdoc/>
    public IQuantizationBackend OnOneThread => workers is null ? this : new ManagedQuantization();

    /// <inheritdoc/>
    public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null) => new MomentsOnHost(new(geometry, views, origins), workers);

    /// <inheritdoc/>
    public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null) => new GramOnHost(new(geometry, blockSize, scale), workers);

    /// <inheritdoc/>
    public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook) =>
        new Clustering(blocks, blockSize, factor, codebook, workers);

    /// <inheritdoc/>
    public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook)
    {
        ArgumentNullException.ThrowIfNull(objective);
        return new ManagedCodeSearch(objective, blockSize, codebook.ToArray(), workers);
    }

    private sealed class MomentsOnHost(OutputStatistics statistics, WorkerPool? workers) : IMoments
    {
        public void Add(Activation input, Activation output, int positionsPerImage, int seed, int batch) =>
            statistics.Add(input, output, positionsPerImage, seed, workers, batch);

        public OutputStatistics ToStatistics() => statistics;

        public void Dispose() { }
    }

    private sealed class GramOnHost(GramStatistics statistics, WorkerPool? workers) : IGram
    {
        public void Add(Activation input, int positionsPerImage, int seed) => statistics.Add(input, positionsPerImage, seed, workers);

        public double[] ToArray() => statistics.Gram.ToArray();

        public void Dispose() { }
    }
}
