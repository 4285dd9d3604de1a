using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Compute;

/// <summary>The backend that needs nothing but .NET. It owns the threads.</summary>
/// <remarks>Vector kernels (512 bits where the processor has them), shared among a fixed number of threads; the same seed and data give the same bits.</remarks>
public sealed class ManagedBackend : IBackend
{
    private readonly WorkerPool _workers;
    private readonly ManagedQuantization _quantization;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    public ManagedBackend(int threads = 0)
    {
        _workers = new(threads);
        _quantization = new(_workers);
    }

    /// <inheritdoc/>
    public string Name => $"managed, {_workers.Threads} thread{(_workers.Threads == 1 ? "" : "s")}";

    /// <inheritdoc/>
    public string Kind => "managed";

    /// <inheritdoc/>
    public WorkerPool Workers => _workers;

    /// <inheritdoc/>
    public IQuantizationBackend OnOneThread => _quantization.OnOneThread;

    /// <inheritdoc/>
    public INodeEvaluator Evaluate(ModelGraph graph) => new NodeEvaluator(graph, _workers);

    /// <inheritdoc/>
    public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null) => _quantization.Moments(geometry, views, origins);

    /// <inheritdoc/>
    public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null) => _quantization.Gram(geometry, blockSize, scale);

    /// <inheritdoc/>
    public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook) =>
        _quantization.Clusters(blocks, blockSize, factor, codebook);

    /// <inheritdoc/>
    public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook) =>
        _quantization.Search(objective, blockSize, codebook);

    /// <inheritdoc/>
    public ITrainingModel Create(ModelGraph graph, int channels, int height, int width, TrainingSetup setup)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(setup);
        return new ManagedTrainingModel(graph, new TensorShape(1, channels, height, width), setup, _workers);
    }

    /// <inheritdoc/>
    public void Dispose() => _workers.Dispose();
}
