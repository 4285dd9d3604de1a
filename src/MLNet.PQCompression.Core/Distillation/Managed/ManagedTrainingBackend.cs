using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>The training backend that needs nothing but .NET.</summary>
/// <remarks>Vector kernels (512 bits where the processor has them), shared among a fixed number of threads; the same threads, seed and data give the same bits.</remarks>
public sealed class ManagedTrainingBackend : ITrainingBackend
{
    private readonly WorkerPool _workers;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    public ManagedTrainingBackend(int threads = 0) => _workers = new(threads);

    /// <inheritdoc/>
    public string Name => $"managed, {_workers.Threads} thread{(_workers.Threads == 1 ? "" : "s")}";

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
