using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
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
public sealed unsafe partial class InferenceSession : IScoringSession
{
    private readonly ModelGraph _graph;
    private readonly InferenceOptions _options;
    private readonly WorkerPool? _pool;
    private readonly PlanRuns? _own;
    private bool _disposed;

    /// <summary>Compiles a model, or takes up its compiled form where another session has made it.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="options">How to run, or null for the defaults.</param>
    /// <exception cref="InvalidModelException">
    /// The model does not fit the size of the images or has no output of a name that is asked for, a weight is not finite, or one image takes more than <see cref="InferenceOptions.MaxMemoryBytes"/>.
    /// </exception>
    public InferenceSession(ModelGraph graph, InferenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxBatch, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxMemoryBytes, nameof(options));
        (_graph, _options) = (graph, options);
        foreach (string name in options.Outputs ?? [])
            if (!graph.Outputs.Any(o => o.Name == name))
                throw new InvalidModelException($"Model '{graph.Name}' has no output '{name}', only {string.Join(", ", graph.Outputs.Select(o => o.Name))}.");
        if (graph.Input.Shape.Rank != 4)
            throw new InvalidModelException($"Model '{graph.Name}' takes an input of shape {graph.Input.Shape}; images N×C×H×W are needed.");
        InputShape = options.InputShape ?? graph.Input.Shape.WithoutFirst();
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        CompiledPlan? plan = InputShape is { Rank: 3, IsKnown: true } ? CompiledPlan.Get(graph, Key(InputShape), new(options.MaxMemoryBytes, threads)) : null;
        _pool = threads == 1 ? null : new(threads);
        _own = plan is null ? null : Runs(plan);
    }

    /// <summary>The width in bits of the vectors that kernels compute with on this machine: 512, 256 or 128. The runtime's switches lower it.</summary>
    public static int VectorBits => 128 << (int)SimdLevels.Best;

    /// <inheritdoc/>
    public string Engine => $"kernels of {VectorBits} bits, straight from the codes";

    /// <summary>C×H×W, the size of an image; -1 where the model and the options leave it open.</summary>
    public TensorShape InputShape { get; }

    /// <summary>The outputs in the model's order, or in that of <see cref="InferenceOptions.Outputs"/>.</summary>
    /// <exception cref="InvalidModelException">The size of the images is open.</exception>
    public ImmutableArray<SessionOutput> Outputs => [.. Own.Plan.Outputs.Select(o => new SessionOutput(o.Name, o.Shape))];

    /// <summary>The shape of the only output for one image; a classifier's is the number of classes.</summary>
    /// <exception cref="InvalidModelException">There are several outputs, or the size of the images is open.</exception>
    public TensorShape OutputShape => Only.Shape;

    /// <summary>The number of values that the only output has for an image.</summary>
    /// <exception cref="InvalidModelException">There are several outputs, or the size of the images is open.</exception>
    public int OutputLength => checked((int)Only.Length);

    /// <summary>Bytes of weights in memory: codes, codebooks, and what is not compressed. All sessions over the same graph share them.</summary>
    public long WeightBytes => Own.Plan.Steps.Sum(s => s.WeightBytes);

    /// <summary>Scores some images with a model of one output.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="outputs">Receives count·OutputLength values.</param>
    /// <exception cref="ArgumentException">A span is not as long as the count says.</exception>
    /// <exception cref="InvalidModelException">
    /// There are several outputs, the size of the images is open, or an output is NaN or infinite, unless <see cref="InferenceOptions.RequireFinite"/> is off; the
    /// message names the image and the node. The outputs are written.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Run(ReadOnlySpan<float> images, int count, Span<float> outputs)
    {
        Check(images, count);
        Check(count, Only, outputs.Length);
        Run(images, count, outputs, null);
        RequireFinite(Own, images, count, outputs[..(count * OutputLength)]);
    }

    /// <summary>Scores some images with a model of any number of outputs.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="outputs">For each of <see cref="Outputs"/> room for count·Length values, or none where it is not wanted.</param>
    /// <exception cref="ArgumentException">Images or outputs are not as long as the count says.</exception>
    /// <exception cref="InvalidModelException">The size of the images is open, or an output is not finite and has to be.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Run(ReadOnlySpan<float> images, int count, ReadOnlySpan<Memory<float>> outputs)
    {
        Check(images, count);
        Run(Own, images, count, outputs);
    }

    /// <summary>Times each step of a call.</summary>
    /// <param name="images">count·C·H·W values, preprocessed.</param>
    /// <param name="count">The number of images, at most <see cref="InferenceOptions.MaxBatch"/>.</param>
    /// <param name="repetitions">Calls, of which the fastest counts for each step; two more go before them.</param>
    /// <exception cref="ArgumentException">The images are not as long as the count says, or too many for one batch.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public SessionProfile Profile(ReadOnlySpan<float> images, int count, int repetitions = 20)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _options.MaxBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(repetitions);
        Check(images, count);
        Step[] steps = Own.Plan.Steps;
        var ticks = new long[repetitions][];
        for (int i = -2; i < repetitions; i++)
        {
            var times = new long[steps.Length];
            Run(images, count, [], times);
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

    private PlanRuns Own => _own ?? throw new InvalidModelException(
        $"Model '{_graph.Name}' takes images of {InputShape}; give their size C×H×W in {nameof(InferenceOptions)}.{nameof(InferenceOptions.InputShape)}, or run images with their size.");

    private PlanOutput Only => Own.Plan.Outputs is [var only] ? only : throw new InvalidModelException(
        $"Model '{_graph.Name}' has {Own.Plan.Outputs.Length} outputs ({string.Join(", ", Own.Plan.Outputs.Select(o => o.Name))}); choose one in {nameof(InferenceOptions)}.{nameof(InferenceOptions.Outputs)}, or receive all.");

    private PlanKey Key(TensorShape shape) => new(shape, _options.Level, _options.Algorithm, _options.Tune, string.Join('\n', _options.Outputs ?? []));

    private PlanRuns Runs(CompiledPlan plan) => new(plan, _pool, _options);

    private void Check(ReadOnlySpan<float> images, int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        TensorShape shape = Own.Plan.InputShape;
        if (images.Length != count * shape.Count)
            throw new ArgumentException($"{count} images of {shape} take {count * shape.Count} values, not {images.Length}.", nameof(images));
    }

    private static void Check(int count, PlanOutput output, int outputs)
    {
        if (outputs < count * output.Length)
            throw new ArgumentException($"The output '{output.Name}' of {count} images takes {count * output.Length} values, not {outputs}.", nameof(outputs));
    }

    private void Run(ReadOnlySpan<float> images, int count, Span<float> outputs, long[]? ticks)
    {
        BatchRun run = Own.Take();
        fixed (float* input = images, output = outputs)
        {
            run.Outputs.AsSpan().Clear();
            run.Outputs[0] = (nint)output;
            run.Run(input, count, ticks);
        }
        Own.Give(run);
    }

    private void Run(PlanRuns runs, ReadOnlySpan<float> images, int count, ReadOnlySpan<Memory<float>> outputs)
    {
        PlanOutput[] wanted = runs.Plan.Outputs;
        if (outputs.Length != wanted.Length)
            throw new ArgumentException($"There are {wanted.Length} outputs ({string.Join(", ", wanted.Select(o => o.Name))}), not {outputs.Length}.", nameof(outputs));
        for (int i = 0; i < wanted.Length; i++)
            if (!outputs[i].IsEmpty)
                Check(count, wanted[i], outputs[i].Length);
        BatchRun run = runs.Take();
        MemoryHandle[] pins = ArrayPool<MemoryHandle>.Shared.Rent(wanted.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            pins[i] = outputs[i].IsEmpty ? default : outputs[i].Pin();
            run.Outputs[i] = (nint)pins[i].Pointer;
        }
        fixed (float* input = images)
            run.Run(input, count, null);
        for (int i = 0; i < wanted.Length; i++)
            pins[i].Dispose();
        ArrayPool<MemoryHandle>.Shared.Return(pins);
        runs.Give(run);
        for (int i = 0; i < wanted.Length; i++)
            if (!outputs[i].IsEmpty)
                RequireFinite(runs, images, count, outputs[i].Span[..checked((int)(count * wanted[i].Length))]);
    }

    private void RequireFinite(PlanRuns runs, ReadOnlySpan<float> images, int count, ReadOnlySpan<float> outputs)
    {
        if (_options.RequireFinite && count > 0)
            FiniteValues.Require(_graph, runs.Plan.InputShape, images, count, outputs);
    }
}
