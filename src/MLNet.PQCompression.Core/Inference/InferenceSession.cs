using System.Collections.Concurrent;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Plan;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference;

/// <summary>Scores images with a model on the CPU, straight from the codes of product-quantized weights.</summary>
/// <remarks>
/// The model is compiled once: BatchNormalization becomes a scale and a bias for each channel, a convolution is computed together with the
/// normalization, addition and activation that follow it, and weights stay codes and codebooks. Sessions over the same
/// <see cref="ModelGraph"/> share the compiled model. A session may be used by several threads at once; after the first calls it allocates nothing.
/// </remarks>
public sealed unsafe class InferenceSession : IDisposable
{
    private readonly CompiledPlan _plan;
    private readonly WorkerPool? _pool;
    private readonly ConcurrentBag<Workspace> _workspaces = [];
    private readonly int _threads, _maxBatch;
    private bool _disposed;

    /// <summary>Compiles a model, or takes up its compiled form where another session has made it.</summary>
    /// <param name="graph">The model; its output is one value with the batch as its first dimension.</param>
    /// <param name="options">How to run, or null for the defaults.</param>
    /// <exception cref="InvalidModelException">The size of the images is not known, or the model does not fit it.</exception>
    public InferenceSession(ModelGraph graph, InferenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxBatch, nameof(options));
        _plan = CompiledPlan.Get(graph, ImageShape(graph, options), options.Level);
        _threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        _maxBatch = options.MaxBatch;
        _pool = _threads == 1 ? null : new(_threads);
    }

    /// <summary>C×H×W, the size of an image.</summary>
    public TensorShape InputShape => _plan.InputShape;

    /// <summary>The shape of the output for one image; a classifier's is the number of classes.</summary>
    public TensorShape OutputShape => _plan.OutputShape;

    /// <summary>The number of values that the model gives for an image.</summary>
    public int OutputLength => checked((int)_plan.OutputShape.Count);

    /// <summary>Scores some images.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="outputs">Receives count·OutputLength values.</param>
    /// <exception cref="ArgumentException">A span is not as long as the count says.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Run(ReadOnlySpan<float> images, int count, Span<float> outputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        long imageLength = InputShape.Count, outputLength = OutputLength;
        if (images.Length != count * imageLength)
            throw new ArgumentException($"{count} images of {InputShape} take {count * imageLength} values, not {images.Length}.", nameof(images));
        if (outputs.Length < count * outputLength)
            throw new ArgumentException($"The outputs of {count} images take {count * outputLength} values, not {outputs.Length}.", nameof(outputs));
        if (!_workspaces.TryTake(out Workspace? workspace))
            workspace = new(_threads, _plan.SharedScratch, _plan.ThreadScratch);
        fixed (float* input = images, output = outputs)
            for (int first = 0; first < count; first += _maxBatch)
            {
                workspace.Prepare(Math.Min(_maxBatch, count - first), _plan.ValuesPerImage);
                workspace.Input = input + first * imageLength;
                workspace.Output = output + first * outputLength;
                foreach (Step step in _plan.Steps)
                    workspace.Run(step, _pool);
            }
        _workspaces.Add(workspace);
    }

    /// <summary>Ends the session's threads. The compiled model lives as long as its graph.</summary>
    public void Dispose()
    {
        _disposed = true;
        _pool?.Dispose();
    }

    private static TensorShape ImageShape(ModelGraph graph, InferenceOptions options)
    {
        TensorShape declared = graph.Input.Shape;
        if (declared.Rank != 4)
            throw new InvalidModelException($"Model '{graph.Name}' takes an input of shape {declared}; images N×C×H×W are needed.");
        TensorShape shape = options.InputShape ?? new([.. declared.Dimensions.Skip(1)]);
        if (shape.Rank != 3 || !shape.IsKnown)
            throw new InvalidModelException(
                $"Model '{graph.Name}' takes images of {new TensorShape([.. declared.Dimensions.Skip(1)])}; give their size C×H×W in {nameof(InferenceOptions)}.{nameof(InferenceOptions.InputShape)}.");
        return shape;
    }
}
