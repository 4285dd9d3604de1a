using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>The gradient steps of a compression: after each layer, and over the whole network at the end.</summary>
internal sealed class DistillationStage : IDisposable
{
    private readonly DistillationOptions _options;
    private readonly CodebookFinetuner _finetuner;
    private readonly IProgress<CompressionProgress>? _progress;

    /// <summary>Reads the images and prepares the teacher.</summary>
    public DistillationStage(ModelGraph teacher, ISampleSource images, ITrainingBackend backend, CompressionOptions options, IProgress<CompressionProgress>? progress, CancellationToken cancellationToken)
    {
        _options = options.Distillation!;
        _progress = progress;
        TrainingSet set = TrainingSet.Load(images, _options.MaxImages, cancellationToken);
        ImagesHash = set.ContentHash;
        _finetuner = new(backend, teacher, set, _options with { Seed = unchecked(_options.Seed * 31 + options.Seed) }, options.Collective);
    }

    /// <summary>The hash of the images it learns from.</summary>
    public string ImagesHash { get; }

    /// <summary>Fine-tunes the codebooks that a layer has just been given.</summary>
    /// <param name="student">The student, with the layer quantized.</param>
    /// <param name="weights">What the layer's quantization replaced.</param>
    /// <param name="fraction">The share of the whole work that is done.</param>
    /// <param name="cancellationToken">Ends the work between two steps.</param>
    /// <returns>The new codebooks.</returns>
    public IReadOnlyList<KeyValuePair<string, Initializer>> TuneLayer(
        ModelGraph student, IEnumerable<string> weights, double fraction, CancellationToken cancellationToken)
    {
        string[] quantized = [.. weights.Where(w => student.Initializers[w] is QuantizedTensor)];
        foreach (string weight in quantized)
            student = _finetuner.FinetuneLayer(student, weight, Report(fraction, fraction), cancellationToken);
        return [.. quantized.Select(w => KeyValuePair.Create(w, student.Initializers[w]))];
    }

    /// <summary>Fine-tunes all codebooks.</summary>
    public ModelGraph TuneAll(ModelGraph student, CheckpointFolder? checkpoints, double fraction, CancellationToken cancellationToken) =>
        _finetuner.FinetuneGlobal(student, checkpoints, Report(fraction, 1), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _finetuner.Dispose();

    private Forward? Report(double from, double to) => _progress is null ? null : new(_progress, from, to);

    private sealed class Forward(IProgress<CompressionProgress> progress, double from, double to) : IProgress<DistillationProgress>
    {
        public void Report(DistillationProgress p) => progress.Report(new(
            p.Stage == "layer" ? "fine-tuning the layer" : "fine-tuning", p.Layer, from + (to - from) * p.Step / p.Steps,
            FormattableString.Invariant($"step {p.Step} of {p.Steps}, loss {p.Loss:G4}, {p.ImagesPerSecond:F0} images/s, {p.Remaining:h\\:mm\\:ss} left")));
    }
}
