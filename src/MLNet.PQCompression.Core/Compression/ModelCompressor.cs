using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>Compresses a trained ConvNet from unlabelled images: layer after layer, each guided by what the layers below have become.</summary>
public static class ModelCompressor
{
    /// <summary>Compresses a model.</summary>
    /// <param name="teacher">The trained network.</param>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them.</param>
    /// <param name="options">What to do; null for the defaults.</param>
    /// <param name="progress">Told of every layer.</param>
    /// <param name="cancellationToken">Stops at the next step; what is in the checkpoint folder stays.</param>
    /// <returns>The compressed network and a report. The network's metadata is the teacher's, with what the images say of their preprocessing.</returns>
    /// <exception cref="ArgumentException">The images do not fit the model, there are none, or an option cannot be met.</exception>
    /// <exception cref="InvalidModelException">The model cannot be run on the images, has nothing to compress, or a weight, an activation or what would become of a layer is not finite; the message names it.</exception>
    /// <exception cref="InvalidDataException">An image holds values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static CompressionResult Compress(
        ModelGraph teacher, ISampleSource images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null,
        CancellationToken cancellationToken = default) => Compress(teacher, images, options ?? new(), new WorkMeter(progress), cancellationToken);

    /// <summary>Compresses, as a part of what a meter measures.</summary>
    internal static CompressionResult Compress(ModelGraph teacher, ISampleSource images, CompressionOptions options, WorkMeter meter, CancellationToken cancellationToken)
    {
        CompressionPlan plan = Plan(teacher, images, options);
        ModelGraph model = AddedBiases.Give(LayerForms.Normalize(teacher), plan);
        ForeignPart foreign = ForeignPart.Of(model, images, options, cancellationToken);
        int most = CompressionMemory.ImagesThatFit(model, plan, options, images.Height, images.Width, foreign.Shapes);
        using IBackend backend = options.Backend?.Invoke(options.Threads) ?? new ManagedBackend(options.Threads);
        using var store = new ActivationStore(backend.Workers);
        WorkEstimate expected = WorkOf(model, plan, images, options, most, foreign);
        meter.Plan(expected.Reading + expected.AfterReading);
        (CalibrationImages Calibration, DistillationStage? Distillation) Read() => (
            CalibrationImages.Read(images, most, options, store, foreign.FixedBatch, cancellationToken),
            options.Distillation is null ? null : new(model, images, backend, foreign, options, cancellationToken));
        (CalibrationImages calibration, DistillationStage? learning) = meter.Do(WorkKind.Reading, expected.Reading, _ => Read(), most < options.MaxImages ? $"{most} images fit the memory asked for" : null);
        using DistillationStage? distillation = learning;
        CheckpointFolder? checkpoints = options.CheckpointFolder is null ? null : new(options.CheckpointFolder);
        CompressionResume? resume = checkpoints is null ? null : new(checkpoints, model, calibration, $"{distillation?.ImagesHash} {(calibration.Parts.IsShared ? backend.Kind : backend.Name)}", options);
        CompressionResult result = new CompressionRun(model, plan, options, distillation, checkpoints, resume, meter, cancellationToken)
            .Run(store, calibration, new(images.Channels, images.Height, images.Width), backend, foreign);
        FiniteWeights.Require(result.Student);
        return result with { Student = result.Student.WithMetadata(result.Student.Metadata.SetItems(images.Metadata)) };
    }

    /// <summary>The work that a compression will be.</summary>
    internal static Work WorkOf(ModelGraph teacher, ISampleSource images, CompressionOptions options, CancellationToken cancellationToken)
    {
        CompressionPlan plan = Plan(teacher, images, options);
        ModelGraph model = AddedBiases.Give(LayerForms.Normalize(teacher), plan);
        ForeignPart foreign = ForeignPart.Of(model, images, options, cancellationToken);
        WorkEstimate work = WorkOf(model, plan, images, options, CompressionMemory.ImagesThatFit(model, plan, options, images.Height, images.Width, foreign.Shapes), foreign);
        return work.Reading + work.AfterReading;
    }

    private static WorkEstimate WorkOf(ModelGraph model, CompressionPlan plan, ISampleSource images, CompressionOptions options, int most, ForeignPart foreign)
    {
        int found = images.Count ?? options.Distillation?.MaxImages ?? most, used = Math.Clamp(found, 1, most);
        return WorkEstimate.OfCompression(
            model, plan, options, found, used * CalibrationImages.ViewsOf(options, used, most), new(images.Channels, images.Height, images.Width), foreign.Shapes);
    }

    /// <summary>Makes the plan of a compression and finds, before any image is read, what stands against it.</summary>
    /// <param name="teacher">The trained network.</param>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them.</param>
    /// <param name="options">What to do; null for the defaults.</param>
    /// <exception cref="ArgumentException">The images do not fit the model, or an option cannot be met.</exception>
    /// <exception cref="InvalidModelException">A weight is not finite, or there is nothing to compress.</exception>
    public static CompressionPlan Plan(ModelGraph teacher, ISampleSource images, CompressionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(images);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxActivationBytes, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Views, 1, nameof(options));
        ModelGraph model = LayerForms.Normalize(teacher);
        CheckInput(model, images);
        FiniteWeights.Require(teacher);
        CompressionPlan plan = CompressionPlan.Create(model, options);
        CheckPlan(model, plan);
        if (!model.HasForeignNodes)
            CompressionMemory.ImagesThatFit(model, plan, options, images.Height, images.Width);
        else if (options.ForeignRuntime is null)
            model.RequireKernels();
        return plan;
    }

    private static void CheckPlan(ModelGraph model, CompressionPlan plan)
    {
        if (plan.Layers.Count(l => l.IsQuantized && model.Initializers[l.Weight] is QuantizedTensor) is > 0 and var compressed)
            throw new InvalidModelException($"Model '{model.Name}' is compressed already: {compressed} of its {plan.Layers.Length} layers hold codes. Compress the model that it was made from, decode it first (mlnet-pq export --dense), or skip these layers.");
        if (!plan.Layers.Any(l => l.IsQuantized))
            throw new InvalidModelException(plan.Layers.Length == 0
                ? $"Model '{model.Name}' has nothing to compress: no convolution or linear layer with a constant weight."
                : $"Model '{model.Name}' has nothing to compress: {string.Join("; ", plan.Layers.GroupBy(l => l.Reason).Select(g => $"{g.Count()} of {plan.Layers.Length} layers: {g.Key}"))}.");
    }

    private static void CheckInput(ModelGraph model, ISampleSource images)
    {
        TensorShape input = model.Input.Shape;
        int[] given = [-1, images.Channels, images.Height, images.Width];
        if (input.Rank != 4 || given.Where((d, i) => i > 0 && input[i] >= 0 && input[i] != d).Any())
            throw new ArgumentException($"Model '{model.Name}' takes images of {input}; these are {new TensorShape(given)}.", nameof(images));
    }
}
