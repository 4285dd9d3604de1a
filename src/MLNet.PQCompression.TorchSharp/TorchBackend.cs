using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.TorchSharp.Evaluation;
using MLNet.PQCompression.TorchSharp.Quantization;
using MLNet.PQCompression.TorchSharp.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>The backend on libtorch: an NVIDIA GPU, or a CPU, where the managed one is faster.</summary>
/// <remarks>
/// The same seed gives the same bits on a CPU. On a GPU sums are made in any order, so results are close and not equal. Activations stay in host memory and go to the device batch by
/// batch; small systems (a codeword's d×d, a layer's ridge regression) are solved on the host.
/// </remarks>
public sealed class TorchBackend : IBackend
{
    private readonly TorchBackendOptions _options;
    private readonly Device _device;
    private readonly Device[] _further;
    private readonly WorkerPool _workers;
    private readonly DeviceMemory _memory;

    /// <summary>Loads libtorch and makes the devices ready.</summary>
    /// <param name="options">Where and how; null for the first GPU, or the CPU where there is none.</param>
    /// <exception cref="TorchUnavailableException">libtorch or a device is not there; the message says what to add.</exception>
    /// <exception cref="ArgumentException">A device's name is none.</exception>
    public TorchBackend(TorchBackendOptions? options = null)
    {
        _options = options ?? new();
        _device = TorchDevice.Open(_options.Device);
        _further = [.. _options.FurtherDevices.Select(TorchDevice.Open)];
        _workers = new(_options.Threads);
        _memory = new(_device.ToString(), _options.Log);
        if (_options.Threads > 0)
            set_num_threads(_options.Threads);
        backends.cudnn.allow_tf32 = _options.AllowTensorFloat32;
        backends.cuda.matmul.allow_tf32 = false;
    }

    /// <inheritdoc/>
    public string Name => $"torch, {string.Join(" and ", _further.Prepend(_device))}{(_options.TrainInBFloat16 ? ", bfloat16" : "")}";

    /// <inheritdoc/>
    public WorkerPool Workers => _workers;

    /// <summary>What is done where memory runs out.</summary>
    internal DeviceMemory Memory => _memory;

    /// <inheritdoc/>
    public INodeEvaluator Evaluate(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new TorchEvaluator(graph, _device, _memory);
    }

    /// <inheritdoc/>
    public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        return new TorchMoments(geometry, views, origins, _device, _memory);
    }

    /// <inheritdoc/>
    public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null)
    {
        ArgumentNullException.ThrowIfNull(geometry);
        return new TorchGram(geometry, blockSize, scale, _device, _memory);
    }

    /// <inheritdoc/>
    public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook)
    {
        float[] first = codebook.ToArray();
        return _memory.Whole($"{blocks.Length / blockSize} blocks of {blockSize}", () => new TorchClusters(blocks.Span, blockSize, factor, first, _device));
    }

    /// <inheritdoc/>
    public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook)
    {
        ArgumentNullException.ThrowIfNull(objective);
        float[] first = codebook.ToArray();
        LayerGeometry geometry = objective.Geometry;
        return _memory.Whole($"a layer of {geometry.Rows} rows of {geometry.RowLength}", () => new TorchCodeSearch(objective, blockSize, first, _device, _memory));
    }

    /// <inheritdoc/>
    public ITrainingModel Create(ModelGraph graph, int channels, int height, int width, TrainingSetup setup)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(setup);
        if (setup.Collective is not null)
            throw new ArgumentException("Ranks train together on the managed backend only: leave gradient steps out (no epochs, no steps of layers), or choose the managed backend (--backend managed).", nameof(setup));
        var shape = new TensorShape(1, channels, height, width);
        TorchTrainingModel[] replicas = [.. _further.Prepend(_device).Select((d, i) => new TorchTrainingModel(graph, shape, setup, _options.TrainInBFloat16, d, i == 0 ? _memory : new(d.ToString(), _options.Log)))];
        return replicas is [var only] ? only : new ReplicatedModel(replicas);
    }

    /// <inheritdoc/>
    public void Dispose() => _workers.Dispose();
}
