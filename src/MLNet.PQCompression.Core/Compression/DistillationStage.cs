using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>The gradient steps of a compression: after each layer, and over the whole network at the end.</summary>
internal sealed class DistillationStage : IDisposable
{
    private readonly DistillationOptions _options;
    private readonly CodebookFinetuner _finetuner;
    private readonly bool _hasFront;

    /// <summary>Reads the images and prepares the teacher.</summary>
    public DistillationStage(ModelGraph teacher, ISampleSource images, ITrainingBackend backend, ForeignPart foreign, CompressionOptions options, CancellationToken cancellationToken)
    {
        _options = options.Distillation!;
        TrainingSet set;
        if (_options.Source == DistillationSource.Teacher && CodebookFinetuner.PartToMatch(teacher) is { } part && part.Input.Name != teacher.Input.Name)
        {
            // What comes before the first layer is done once, and BatchNormalization stays as it is, since the part is trained without the rest.
            (_hasFront, _options) = (true, _options with { BatchStatistics = false });
            using INodeEvaluator evaluator = foreign.Evaluate(teacher, backend);
            set = TrainingSet.Load(new FrontSamples(teacher, part.Input.Name, images, evaluator, cancellationToken), _options.MaxImages, cancellationToken);
            teacher = part;
        }
        else
            set = TrainingSet.Load(images, _options.MaxImages, cancellationToken);
        (ImagesHash, Images) = (set.ContentHash, set.Count);
        _finetuner = new(backend, teacher, set, _options with { Seed = unchecked(_options.Seed * 31 + options.Seed) }, options.Collective);
    }

    /// <summary>The hash of the images it learns from.</summary>
    public string ImagesHash { get; }

    /// <summary>How many there are.</summary>
    public int Images { get; }

    /// <summary>Fine-tunes the codebooks that a layer has just been given.</summary>
    /// <param name="student">The student, with the layer quantized.</param>
    /// <param name="weights">What the layer's quantization replaced.</param>
    /// <param name="item">Times the steps.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    /// <returns>The new codebooks; none where no steps are taken after layers.</returns>
    public IReadOnlyList<KeyValuePair<string, Initializer>> TuneLayer(
        ModelGraph student, IEnumerable<string> weights, WorkItem item, CancellationToken cancellationToken)
    {
        if (_options.LayerSteps == 0)
            return [];
        string[] quantized = [.. weights.Where(w => student.Initializers[w] is QuantizedTensor)];
        using (item.Time(WorkKind.Distillation))
            foreach (string weight in quantized)
                student = Tune(student, s => s.Initializers.ContainsKey(weight) ? _finetuner.FinetuneLayer(s, weight, new Forward(item), cancellationToken) : s);
        return [.. quantized.Select(w => KeyValuePair.Create(w, student.Initializers[w]))];
    }

    /// <summary>Fine-tunes all codebooks.</summary>
    public ModelGraph TuneAll(ModelGraph student, CheckpointFolder? checkpoints, WorkItem item, CancellationToken cancellationToken) =>
        Tune(student, s => _finetuner.FinetuneGlobal(s, checkpoints, new Forward(item), cancellationToken));

    /// <inheritdoc/>
    public void Dispose() => _finetuner.Dispose();

    /// <summary>Fine-tunes the student, or the part of it that begins behind its front.</summary>
    private ModelGraph Tune(ModelGraph student, Func<ModelGraph, ModelGraph> tune) =>
        _hasFront ? student.WithInitializers(tune(CodebookFinetuner.PartToMatch(student)!).Initializers) : tune(student);

    private sealed class Forward(WorkItem item) : IProgress<DistillationProgress>
    {
        public void Report(DistillationProgress p) => item.Tell(
            (double)p.Step / p.Steps, p.Stage == "layer" ? "fine-tuning the layer" : "fine-tuning", FormattableString.Invariant($"step {p.Step} of {p.Steps}, loss {p.Loss:G4}, {p.ImagesPerSecond:F0} images/s"));
    }
}
