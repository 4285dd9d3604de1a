using System.Collections.Immutable;
using System.Diagnostics;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.Budget;

/// <summary>Measures what each layer of a network costs at each size, from unlabelled images and without writing a model.</summary>
public static class NetworkAnalyzer
{
    /// <summary>Statistics rank choices; a few hundred images do.</summary>
    private const int MostImages = 512;

    private const int MostProbeImages = 256;

    /// <summary>Analyses a network.</summary>
    /// <param name="teacher">The trained network; any number of outputs.</param>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them; the first 512 are used.</param>
    /// <param name="options">Seed, threads and layers that are fixed or left alone; the block regime is not looked at. What is measured stays in its checkpoint folder, so that the same analysis is not made twice.</param>
    /// <param name="progress">Told of every layer.</param>
    /// <param name="cancellationToken">Stops at the next step.</param>
    /// <exception cref="ArgumentException">The images do not fit the model, there are none, or an option cannot be met.</exception>
    /// <exception cref="InvalidModelException">The model cannot be run on the images, or none of its outputs has the same length for every image.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static NetworkAnalysis Analyze(
        ModelGraph teacher, ISampleSource images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Analyze(teacher, images, options ?? new(), new WorkMeter(progress), cancellationToken);

    /// <summary>Analyses, as a part of what a meter measures.</summary>
    internal static NetworkAnalysis Analyze(ModelGraph teacher, ISampleSource images, CompressionOptions options, WorkMeter meter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(images);
        long start = Stopwatch.GetTimestamp();
        options = options with { Blocks = BlockRegime.Small, Views = 1 };
        if (options.Method != CompressionMethod.Output)
            throw new ArgumentException("Budgets and sensitivities are measured by the error of outputs; they need the method 'output'.", nameof(options));
        if (options.Collective is not null)
            throw new ArgumentException("An analysis, and a budget that needs one, is the work of one process: analyze without other ranks, and give the compression the plan as overrides of its layers.", nameof(options));
        CompressionPlan plan = ModelCompressor.Plan(teacher, images, options);
        ModelGraph model = AddedBiases.Give(LayerForms.Normalize(teacher), plan);
        ForeignPart foreign = ForeignPart.Of(model, images, options, cancellationToken);
        int most = Math.Min(MostImages, CompressionMemory.ImagesThatFit(model, plan, options, images.Height, images.Width, foreign.Shapes));
        using IBackend backend = options.Backend?.Invoke(options.Threads) ?? new ManagedBackend(options.Threads);
        using var store = new ActivationStore(backend.Workers);
        var pass = new SensitivityPass(model, plan, options, meter, cancellationToken);
        int expected = Math.Min(images.Count ?? most, most);
        TensorShape image = new(images.Channels, images.Height, images.Width);
        WorkEstimate work = pass.WorkOf(expected, Math.Min(expected, MostProbeImages), image, foreign.Shapes);
        meter.Plan(work.Reading + work.AfterReading);
        CalibrationImages calibration = meter.Do(WorkKind.Reading, work.Reading, _ => CalibrationImages.Read(images, most, options, store, foreign.FixedBatch, cancellationToken));
        OutputKind kind = OutputKinds.Of(teacher);
        var probe = new DivergenceProbe(model, First(calibration.Batches, MostProbeImages), kind, options.Threads, options.ForeignRuntime);
        AnalysisResume? resume = options.CheckpointFolder is { } folder ? new(new(folder), CheckpointKey.Of("analyze", model, calibration, backend.Name, options with { Distillation = null })) : null;
        ImmutableArray<LayerSensitivity> layers = pass.Run(store, calibration, image, probe, backend, foreign, resume);
        return new(WithOverheads(model, layers, out long other), other, plan.DenseBytes, calibration.Images, kind == OutputKind.Classes, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static Activation[] First(StoredActivation[] batches, int most)
    {
        var first = new List<Activation>();
        foreach (StoredActivation stored in batches)
        {
            int taken = Math.Min(stored.Shape[0], most - first.Sum(b => b.Shape[0]));
            if (taken <= 0)
                break;
            Activation batch = stored.Load();
            first.Add(taken == batch.Shape[0] ? batch : new(batch.Shape.With(0, taken), batch.Span[..(int)(batch.Shape.Count / batch.Shape[0] * taken)].ToArray()));
        }
        return [.. first];
    }

    /// <summary>Adds to each choice the bytes of the nodes and names that decode it, found by laying three files out.</summary>
    private static ImmutableArray<LayerSensitivity> WithOverheads(ModelGraph model, ImmutableArray<LayerSensitivity> layers, out long other)
    {
        long dense = OnnxWriter.Size(model);
        other = dense - layers.Sum(l => l.Plan.DenseBytes);
        LayerSensitivity[] quantized = [.. layers.Where(l => l.Plan.IsQuantized)];
        if (quantized.Length == 0)
            return layers;
        long bytewise = Overhead(_ => 2), packed = Overhead(l => l.Plan.Blocks > 512 ? 512 : 2);
        int large = quantized.Count(l => l.Plan.Blocks > 512);
        long plain = bytewise / quantized.Length, planes = plain + (large == 0 ? 0 : (packed - bytewise) / large);
        return [.. layers.Select(l => l with { Choices = [.. l.Choices.Select(c => c.BlockSize == 0 ? c : c with { FileBytes = c.FileBytes + (c.Codewords > 256 ? planes : plain) })] })];

        long Overhead(Func<LayerSensitivity, int> codewords)
        {
            (LayerPlan Plan, LayerChoice Choice)[] choices = [.. quantized.Select(l => (l.Plan, new LayerChoice(
                l.Plan.BlockSize, codewords(l), LayerChoice.QuantizedBytes(l.Plan.Shape, l.Plan.BlockSize, codewords(l)), 0, 0, false)))];
            return SizeProbe.Measure(model, choices) - dense + quantized.Sum(l => l.Plan.DenseBytes) - choices.Sum(c => c.Choice.FileBytes);
        }
    }
}
