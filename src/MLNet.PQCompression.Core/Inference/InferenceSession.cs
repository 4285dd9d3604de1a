using System.Diagnostics;
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
    private readonly ModelGraph _graph;
    private readonly CompiledPlan _plan;
    private readonly WorkerPool? _pool;
    private readonly List<BatchRun> _runs = []; // Those that no call uses now.
    private readonly Func<BatchRun> _newRun;
    private readonly int _maxBatch;
    private readonly bool _requireFinite;
    private bool _disposed;

    /// <summary>Compiles a model, or takes up its compiled form where another session has made it.</summary>
    /// <param name="graph">The model; its output is one value with the batch as its first dimension.</param>
    /// <param name="options">How to run, or null for the defaults.</param>
    /// <exception cref="InvalidModelException">
    /// The size of the images is not known, the model does not fit it, a weight is not finite, or one image takes more than <see cref="InferenceOptions.MaxMemoryBytes"/>.
    /// </exception>
    public InferenceSession(ModelGraph graph, InferenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxBatch, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxMemoryBytes, nameof(options));
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        _plan = CompiledPlan.Get(graph, new(ImageShape(graph, options), options.Level, options.Algorithm, options.Tune), new(options.MaxMemoryBytes, threads));
        (_graph, _maxBatch, _requireFinite) = (graph, options.MaxBatch, options.RequireFinite);
        _pool = threads == 1 ? null : new(threads);
        _newRun = () => new(_plan, _pool, options.MaxBatch, options.BatchInvariant, options.MaxMemoryBytes);
    }

    /// <summary>The width in bits of the vectors that kernels compute with on this machine: 512, 256 or 128. The runtime's switches lower it.</summary>
    public static int VectorBits => 128 << (int)SimdLevels.Best;

    /// <summary>C×H×W, the size of an image.</summary>
    public TensorShape InputShape => _plan.InputShape;

    /// <summary>The shape of the output for one image; a classifier's is the number of classes.</summary>
    public TensorShape OutputShape => _plan.OutputShape;

    /// <summary>The number of values that the model gives for an image.</summary>
    public int OutputLength => checked((int)_plan.OutputShape.Count);

    /// <summary>Bytes of weights in memory: codes, codebooks, and what is not compressed. All sessions over the same graph share them.</summary>
    public long WeightBytes => _plan.Steps.Sum(s => s.WeightBytes);

    /// <summary>Scores some images.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="outputs">Receives count·OutputLength values.</param>
    /// <exception cref="ArgumentException">A span is not as long as the count says.</exception>
    /// <exception cref="InvalidModelException">An output is NaN or infinite, unless <see cref="InferenceOptions.RequireFinite"/> is off; the message names the image and the node. The outputs are written.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Run(ReadOnlySpan<float> images, int count, Span<float> outputs)
    {
        Check(images, count, outputs);
        Run(images, count, outputs, null);
        if (_requireFinite && count > 0)
            FiniteValues.Require(_graph, InputShape, images, count, outputs[..(count * OutputLength)]);
    }

    /// <summary>Times each step of a call.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images, at most <see cref="InferenceOptions.MaxBatch"/>.</param>
    /// <param name="repetitions">Calls, of which the fastest counts for each step; two more go before them.</param>
    /// <exception cref="ArgumentException">The images are not as long as the count says, or too many for one batch.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public SessionProfile Profile(ReadOnlySpan<float> images, int count, int repetitions = 20)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _maxBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(repetitions);
        var outputs = new float[count * OutputLength];
        Check(images, count, outputs);
        Step[] steps = _plan.Steps;
        var ticks = new long[repetitions][];
        for (int i = -2; i < repetitions; i++)
        {
            var times = new long[steps.Length];
            Run(images, count, outputs, times);
            if (i >= 0)
                ticks[i] = times;
        }
        return new(count, [.. steps.Select((step, i) => new StepProfile(
            step.Name, step.Kernel, step.Output is { } y ? $"{y.Channels}×{y.Height}×{y.Width}" : "", count * step.Operations,
            Stopwatch.GetElapsedTime(0, ticks.Min(t => t[i]))))]);
    }

    /// <summary>Ends the session's threads. The compiled model lives as long as its graph.</summary>
    public void Dispose()
    {
        _disposed = true;
        _pool?.Dispose();
    }

    private void Check(ReadOnlySpan<float> images, int count, ReadOnlySpan<float> outputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (images.Length != count * InputShape.Count)
            throw new ArgumentException($"{count} images of {InputShape} take {count * InputShape.Count} values, not {images.Length}.", nameof(images));
        if (outputs.Length < (long)count * OutputLength)
            throw new ArgumentException($"The outputs of {count} images take {(long)count * OutputLength} values, not {outputs.Length}.", nameof(outputs));
    }

    private void Run(ReadOnlySpan<float> images, int count, Span<float> outputs, long[]? ticks)
    {
        BatchRun run = TakeRun();
        fixed (float* input = images, output = outputs)
            run.Run(input, output, count, ticks);
        lock (_runs)
            _runs.Add(run);
    }

    private BatchRun TakeRun()
    {
        lock (_runs)
            if (_runs.Count > 0)
            {
                BatchRun run = _runs[^1];
                _runs.RemoveAt(_runs.Count - 1);
                return run;
            }
        return _newRun();
    }

    private static TensorShape ImageShape(ModelGraph graph, InferenceOptions options)
    {
        TensorShape declared = graph.Input.Shape;
        if (declared.Rank != 4)
            throw new InvalidModelException($"Model '{graph.Name}' takes an input of shape {declared}; images N×C×H×W are needed.");
        TensorShape shape = options.InputShape ?? declared.WithoutFirst();
        if (shape.Rank != 3 || !shape.IsKnown)
            throw new InvalidModelException(
                $"Model '{graph.Name}' takes images of {new TensorShape([.. declared.Dimensions.Skip(1)])}; give their size C×H×W in {nameof(InferenceOptions)}.{nameof(InferenceOptions.InputShape)}.");
        return shape;
    }
}
