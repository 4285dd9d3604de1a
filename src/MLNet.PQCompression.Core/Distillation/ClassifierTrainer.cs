using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>How a classifier is trained on labels.</summary>
public sealed record ClassifierTrainingOptions
{
    /// <summary>Epochs over all images.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>The rate: a short rise, then half a cosine down to zero.</summary>
    public RateOptions Rate { get; init; } = new(0.1, new CosineSchedule(0.05));

    /// <summary>The rule by which weights follow their gradients.</summary>
    public OptimizerOptions Optimizer { get; init; } = new SgdOptions(0.9, 5e-4);

    /// <summary>Images in a batch.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Random changes to the images; null for what suits their size.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Seed of the order and the changes.</summary>
    public int Seed { get; init; }
}

/// <summary>Trains a network on labelled images by cross-entropy: enough to make a teacher.</summary>
public static class ClassifierTrainer
{
    /// <summary>Trains all weights and biases; BatchNormalization's running statistics move.</summary>
    /// <param name="backend">Runs the network; it stays the caller's.</param>
    /// <param name="network">The network to start from, fresh (<see cref="WeightInitializer"/>) or trained before.</param>
    /// <param name="images">The images, all labelled.</param>
    /// <param name="options">How to train; null for the defaults.</param>
    /// <param name="checkpoints">Where the state is kept after each epoch, or null. A run found there is taken up, and ends bit-identically to one never interrupted.</param>
    /// <param name="progress">Told about the loss and speed.</param>
    /// <param name="cancellationToken">Ends the work between two steps; the checkpoints hold the last whole epoch.</param>
    /// <exception cref="ArgumentException">An image has no label, or one that the network has no output for.</exception>
    /// <exception cref="InvalidModelException">The network has several outputs.</exception>
    public static ModelGraph Train(
        ITrainingBackend backend, ModelGraph network, TrainingSet images, ClassifierTrainingOptions? options = null, CheckpointFolder? checkpoints = null,
        IProgress<DistillationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(images);
        options ??= new();
        _ = network.OutputName;
        if (!images.IsLabelled)
            throw new ArgumentException("Training on labels needs a label for every image.", nameof(images));
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(network), BatchStatistics = true, Optimizer = options.Optimizer };
        using ITrainingModel model = backend.Create(network, images.Channels, images.Height, images.Width, setup);
        var batches = new BatchStream(images, options.BatchSize, options.Augmentation ?? Augmentation.For(images.Height, images.Width), options.Seed);
        var state = new GlobalState(model, average: null, reassignment: null);
        string key = checkpoints is null ? "" : CheckpointFolder.Key("train", ContentHash.Of(network), images.ContentHash, options.ToString(), backend.Name);
        long done = checkpoints?.Load(key) is { } saved ? state.Restore(saved) : 0;
        new TrainingRun
        {
            Model = model,
            Batches = batches,
            Target = batch => new LabelTarget(batch.Labels),
            Rate = options.Rate,
            Name = ("train", null),
            Steps = (long)options.Epochs * batches.BatchesPerEpoch,
            AfterStep = (step, _) =>
            {
                if (step % batches.BatchesPerEpoch == 0)
                    checkpoints?.Save(key, state.Capture(step));
            },
        }.Run(done, progress, cancellationToken);
        checkpoints?.Delete(key);
        return model.ToGraph();
    }
}
