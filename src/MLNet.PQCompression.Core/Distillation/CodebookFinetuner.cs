using System.Collections.Immutable;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>Fine-tunes the codebooks of a student so that its outputs follow the teacher's (sections 3.3 and 3.4). Codes stay, unless <see cref="DistillationOptions.Reassignment"/> is set.</summary>
/// <remarks>
/// A classifier's student follows the teacher's scores. Of other networks it follows the values at which <see cref="PartToMatch"/> ends, each relative to its own variance. Codebooks come back as values that
/// float16 holds exactly, since that is what files keep.
/// </remarks>
public sealed class CodebookFinetuner : IDisposable
{
    private const int AnchorPixels = 1 << 19;
    private readonly ITrainingBackend _backend;
    private readonly ModelGraph _teacher;
    private readonly TrainingSet _images;
    private readonly DistillationOptions _options;
    private readonly Augmentation _augmentation;
    private readonly ITrainingModel? _teacherModel;
    private readonly TeacherOutputs? _teacherOutputs;
    private readonly MatchedPart? _matched;
    private MatchedWeights? _weights;
    private readonly ICollective? _ranks;
    private readonly BatchShare _share;

    /// <summary>Prepares the teacher.</summary>
    /// <param name="backend">Runs the networks; it stays the caller's.</param>
    /// <param name="teacher">The trained network.</param>
    /// <param name="images">The images; labels are needed only for <see cref="DistillationSource.Labels"/>.</param>
    /// <param name="options">How to fine-tune.</param>
    /// <param name="ranks">The ranks that share each batch, or null. All hold all images, and all get the result.</param>
    /// <exception cref="ArgumentException">The options ask for labels that the images, or blends of them, lack.</exception>
    /// <exception cref="InvalidModelException">The teacher does not take such images, has several outputs where labels are given, or nothing that can be matched.</exception>
    public CodebookFinetuner(ITrainingBackend backend, ModelGraph teacher, TrainingSet images, DistillationOptions options, ICollective? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Source == DistillationSource.Labels && !images.IsLabelled)
            throw new ArgumentException("Fine-tuning on labels needs a label for every image; without labels, learn from the teacher.", nameof(images));
        if (options is { Source: DistillationSource.Labels, Augmentation.MixedShare: > 0 })
            throw new ArgumentException("A blend of two images has no label; learn from the teacher, or leave images unmixed.", nameof(options));
        (_backend, _teacher, _images, _options, _ranks, _share) = (backend, teacher, images, options, ranks, new(ranks));
        _augmentation = options.Augmentation ?? (images.Count >= options.UnchangedFrom ? Augmentation.None : Augmentation.For(images.Height, images.Width));
        if (options.Source == DistillationSource.Labels)
        {
            _ = teacher.OutputName;
            return;
        }
        _matched = Matched(teacher);
        if (_matched is not null && _matched.Graph.Input.Name != teacher.Input.Name)
            throw new InvalidModelException(
                $"Model '{teacher.Name}' has operators without a kernel before its first layer. Train the part that begins behind them ({nameof(PartToMatch)}) with what they make of the images, '{_matched.Graph.Input.Name}', as a compression does.");
        _teacherModel = backend.Create(_matched?.Graph ?? teacher, images.Channels, images.Height, images.Width, TrainingSetup.Frozen);
        _teacherOutputs = new(_teacherModel, images, options.BatchSize, _augmentation == Augmentation.None, _share);
    }

    /// <summary>What a student of this network learns from: the part whose outputs are the matched values, or null where it is a classifier, whose scores are compared.</summary>
    /// <remarks>Its input is the image, or what the first layer reads where operators without a kernel come before that.</remarks>
    /// <exception cref="InvalidModelException">It is no classifier, and nothing can be matched.</exception>
    public static ModelGraph? PartToMatch(ModelGraph teacher)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        return Matched(teacher)?.Graph;
    }

    /// <summary>Fine-tunes one layer's codewords, with everything else still and BatchNormalization in evaluation mode.</summary>
    /// <param name="student">The student, quantized up to this layer at least.</param>
    /// <param name="weight">The layer's quantized weight.</param>
    /// <param name="progress">Told about the loss and speed.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    /// <returns>The student with the new codebook; as it was where nothing that is matched depends on the layer.</returns>
    /// <exception cref="ArgumentException">The weight is not quantized.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the student is as it was.</exception>
    public ModelGraph FinetuneLayer(ModelGraph student, string weight, IProgress<DistillationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(student);
        if (!student.Initializers.TryGetValue(weight, out Initializer? initializer) || initializer is not QuantizedTensor)
            throw new ArgumentException($"Model '{student.Name}' has no quantized weight '{weight}'.", nameof(weight));
        ModelGraph part = Part(student);
        if (_options.LayerSteps == 0 || !part.Initializers.ContainsKey(weight))
            return student;
        var setup = new TrainingSetup { Trainable = ImmutableSortedSet.Create<string>(StringComparer.Ordinal, weight), Optimizer = _options.Optimizer, Collective = _ranks };
        using ITrainingModel model = Create(part, setup);
        int layer = student.Nodes.TakeWhile(n => !n.Inputs.Contains(weight)).Count();
        new TrainingRun
        {
            Model = model,
            Batches = Stream(SeedSequence.At(_options.Seed, -1, layer).Next()),
            Share = _share,
            Target = batch => Target(batch, cancellationToken),
            Rate = _options.LayerRate,
            Name = ("layer", weight),
            Steps = _options.LayerSteps,
        }.Run(0, progress, cancellationToken);
        return Finish(student, model);
    }

    /// <summary>Fine-tunes all codewords, and by option the rest, for whole epochs.</summary>
    /// <param name="student">The student with every layer quantized.</param>
    /// <param name="checkpoints">Where the state is kept after each epoch, or null. A run found there is taken up, and ends bit-identically to one never interrupted.</param>
    /// <param name="progress">Told about the loss and speed.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    /// <returns>The fine-tuned student.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoints hold the last whole epoch.</exception>
    public ModelGraph FinetuneGlobal(
        ModelGraph student, CheckpointFolder? checkpoints = null, IProgress<DistillationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(student);
        if (_options.Epochs == 0)
            return student;
        ModelGraph part = Part(student);
        if (_options.BatchStatistics && (_options.AnchorStatistics || StatisticsAnchor.HasFoldedStatistics(part)))
        {
            student = StatisticsAnchor.Apply(_backend, student, part.Nodes, _images, Stream(_options.Seed).Read(0, Math.Max(1, AnchorPixels / (_images.Height * _images.Width * _options.BatchSize)), cancellationToken));
            part = Part(student);
        }
        ImmutableSortedSet<string> trainable = _options.TrainUncompressed ? TrainableParameters.All(part) : TrainableParameters.Codebooks(part);
        if (trainable.IsEmpty)
            return student;
        var setup = new TrainingSetup { Trainable = trainable, BatchStatistics = _options.BatchStatistics, Optimizer = _options.Optimizer, DenseRateFactor = _options.UncompressedRateFactor, Collective = _ranks };
        using ITrainingModel model = Create(part, setup);
        BatchStream batches = Stream(_options.Seed);
        WeightAverage? average = _options.Averaging > 0 ? new(model, _options.Averaging) : null;
        long steps = (long)_options.Epochs * batches.BatchesPerEpoch;
        CodeReassignment? reassignment = _options.Reassignment is null ? null : new(model, part, _options.Reassignment, batches.BatchSize, steps, _options.Seed);
        var state = new GlobalState(model, average, reassignment);
        string key = checkpoints is null ? "" : CheckpointFolder.Key(
            $"global in {_share.Parts.Count} parts{(_matched is null ? "" : ", matched")}", ContentHash.Of(_teacher), ContentHash.Of(student), _images.ContentHash, _options.ToString(), _share.IsShared ? _backend.Kind : _backend.Name);
        long done = checkpoints is not null && CheckpointContent.FromFirst(_share.Parts, () => checkpoints.Load(key)) is { } saved ? state.Restore(saved) : 0;
        new TrainingRun
        {
            Model = model,
            Batches = batches,
            Share = _share,
            Target = batch => Target(batch, cancellationToken),
            Rate = _options.GlobalRate,
            Name = ("global", null),
            Steps = steps,
            AfterStep = (step, batch) =>
            {
                reassignment?.AfterStep(step, batch);
                average?.Update(model);
                if (step % batches.BatchesPerEpoch == 0 && _share.Parts.IsFirst)
                    checkpoints?.Save(key, state.Capture(step));
            },
        }.Run(done, progress, cancellationToken);
        average?.CopyTo(model);
        if (_share.Parts.IsFirst)
            checkpoints?.Delete(key);
        return Finish(student, model);
    }

    /// <inheritdoc/>
    public void Dispose() => _teacherOutputs?.Dispose();

    private ITrainingModel Create(ModelGraph student, TrainingSetup setup) =>
        _backend.Create(student, _images.Channels, _images.Height, _images.Width, setup);

    private BatchStream Stream(int seed) => new(_images, _options.BatchSize, _augmentation, seed);

    private static MatchedPart? Matched(ModelGraph teacher) => !teacher.HasForeignNodes && ClassScores.AreOutputOf(teacher) ? null : MatchedValues.Find(teacher);

    private ModelGraph Part(ModelGraph student) => _matched is null ? student : MatchedValues.Part(student);

    private TrainingTarget Target(DrawnBatch batch, CancellationToken cancellationToken)
    {
        if (_teacherOutputs is null)
            return new LabelTarget(batch.Labels);
        if (_matched is null)
            return new TeacherTarget(_teacherOutputs.Of(batch, cancellationToken), _options.Temperature);
        _weights ??= new(_teacherModel!, _matched, _images, _share, cancellationToken);
        ReadOnlyMemory<float> values = _teacherOutputs.Of(batch, cancellationToken);
        return new OutputTarget(values, _weights.Of(values.Span));
    }

    private static ModelGraph Finish(ModelGraph student, ITrainingModel model) =>
        student.WithInitializers(model.ToGraph().Initializers.Select(i =>
        {
            if (i.Value is not QuantizedTensor q)
                return i;
            try
            {
                return KeyValuePair.Create(i.Key, (Initializer)q.With(Float16Codebook.Round(q.Codebook), q.Codes.ToArray()));
            }
            catch (NotFiniteNumberException e)
            {
                throw new InvalidModelException($"Fine-tuning took weight '{i.Key}' out of range: {e.Message}. Lower the learning rate.", e);
            }
        }));
}
