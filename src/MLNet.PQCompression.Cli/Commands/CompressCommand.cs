using System.CommandLine;
using System.Diagnostics;
using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Cli.Configuration;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Mpi;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq compress.</summary>
internal sealed class CompressCommand : ToolCommand
{
    private readonly ModelArguments _model = new();
    private readonly Option<string?> _images = ImageArguments.CreateSource(required: false)!;
    private readonly Option<string?> _output = new("--output") { HelpName = "OUT.onnx", Description = "The file to write. (REQUIRED but for --dry-run)" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show the plan as inspect does; read no image and write nothing." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };
    private readonly CompressionArguments _compression = new();
    private readonly ClassNamesOption _classes = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly BudgetArguments _budget = new();
    private readonly Option<string?> _configuration = new("--config") { HelpName = "FILE.json", Description = "Take settings from a file that init has written; options given here win." };
    private readonly HeldOutOption _heldOut = new();
    private readonly ReportOption _report = new();
    private readonly Option<int> _threads = ThreadsOption.Create();
    private readonly BackendArguments _backend = new();
    private readonly RankArguments _ranks = new();

    public CompressCommand()
        : base("compress", "Compresses a model from unlabelled images and writes it as ONNX.",
            "mlnet-pq compress model.onnx --images photos/ --output model.pq.onnx",
            "mlnet-pq compress model.onnx --images photos/ --output model.pq.onnx --target-size 2MB --report report.html",
            "mlnet-pq compress resnet18.pth --arch resnet18 --images train.zip --output resnet18.pq.onnx --blocks large --layer 'fc:skip'")
    {
        AddSymbols([.. _model.All, _images, _output, _configuration, .. _budget.All, .. _compression.All, _classes.Symbol, _heldOut.Symbol, _report.Symbol, _dryRun, _overwrite, .. _preprocessing.All, .. _imageArguments.All, _threads, .. _backend.All, _ranks.Symbol]);
        Validators.Add(_backend.Validate);
        Validators.Add(result =>
        {
            _budget.Check(result);
            if (result.GetResult(_ranks.Symbol) is { Implicit: false } && _budget.All.Any(o => result.GetResult(o) is { Implicit: false }))
                result.AddError("--mpi and a budget do not go together: find the layers' settings with analyze, and give them as --layer.");
            if (!result.GetValue(_dryRun) && (result.GetResult(_images) is null || result.GetResult(_output) is null))
                result.AddError("compress needs --images and --output, or --dry-run.");
        });
    }

    /// <summary>The options that a configuration may set: all that are about the work, and not about this one call.</summary>
    public IReadOnlyList<Option> ConfigurableOptions => [_images, _output, .. Settings, _classes.Symbol, _report.Symbol, .. _imageArguments.All, _threads, .. _backend.All];

    /// <summary>The configuration that is named, or null.</summary>
    public string? Configuration(ParseResult arguments) => arguments.GetResult(_configuration)?.Tokens is [{ Value: var path }] ? path : null;

    /// <summary>Whether an option, or another that excludes it, is on the command line.</summary>
    public bool IsGiven(ParseResult arguments, Option option) =>
        (_budget.All.Contains(option) ? _budget.All : [option]).Any(o => arguments.GetResult(o) is { Implicit: false });

    protected override void Execute(ParseResult arguments, ToolConsole console) => _ranks.Run(arguments, console, (own, ranks) => Execute(arguments, own, ranks));

    private void Execute(ParseResult arguments, ToolConsole console, MpiRanks? ranks)
    {
        long start = Stopwatch.GetTimestamp();
        if (arguments.GetValue(_dryRun))
        {
            ModelInspection inspection = InspectCommand.Inspect(_model.Load(arguments), _compression.Read(arguments, threads: 0), _model.Path(arguments));
            console.WriteResult(() => InspectCommand.Describe(inspection), inspection.ToJson);
            return;
        }
        string output = arguments.GetRequiredValue(_output)!;
        bool overwrite = arguments.GetValue(_overwrite);
        if (!Path.GetExtension(output).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--output '{output}': the name must end in .onnx.");
        bool isWriter = ranks is not { Rank: > 0 };
        if (isWriter)
        {
            AtomicFile.CheckTarget(output, overwrite);
            _report.Check(arguments, overwrite);
        }
        ModelGraph teacher = _model.Load(arguments);
        StatedPreprocessing stated = _preprocessing.Read(arguments, console, teacher, _model.Path(arguments));
        ImagePreprocessing preprocessing = stated.Preprocessing;
        int? classes = ClassNamesOption.Count(teacher, preprocessing);
        IReadOnlyList<string>? names = _classes.Read(arguments, teacher, classes);
        CompressionOptions options = _compression.Read(arguments, RankArguments.Threads(arguments.GetValue(_threads), ranks), (teacher, preprocessing)) with
        {
            Backend = threads => _backend.Create(arguments, threads, console.Note),
            Collective = ranks,
        };
        if (isWriter)
            AtomicFile.CheckFolder(options.CheckpointFolder);
        using ImageSource all = ImageSource.Open(arguments.GetRequiredValue(_images)!, console.CancellationToken);
        (ImageSource images, ImageSource? heldOut) = _heldOut.Split(arguments, Labelled(all, names, classes, options).Sample(all.Count, options.Seed));
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, images, preprocessing, options.Threads);
        ModelCompressor.Plan(teacher, samples, options);
        ImageSampleSource? heldOutSamples = heldOut is null ? null : _imageArguments.Samples(arguments, console, heldOut, preprocessing, options.Threads);
        PreprocessingArguments.Check(console, teacher, stated, images, options.Threads);
        var metadata = new FileMetadata(names, options, EffectiveConfiguration.Given(arguments, Settings.Except([_compression.Checkpoint])), ModelArguments.Sha256(_model.Path(arguments)));
        if (!console.Json && InspectCommand.TryEstimate(teacher, options, images.Count) is { } estimate)
            console.Note($"compress: {InspectCommand.Describe(estimate)}{(_budget.Read(arguments) is null ? "" : "; with a budget two to three times as long")}{(options.Distillation is null ? "" : "; distillation not counted")}");
        if (options.Distillation?.Source == DistillationSource.Teacher && CodebookFinetuner.PartToMatch(teacher) is { } matched)
            console.Note($"distillation: the network gives no scores of classes, so it learns {matched.Outputs.Length} of the teacher's values, before what only moves or squashes them: {string.Join(", ", matched.Outputs.Select(o => o.Name))}");
        BudgetResult? kept = null;
        long compressing = Stopwatch.GetTimestamp();
        CompressionResult result = console.Track("compress", step =>
        {
            var progress = new StepProgress<CompressionProgress>(step, Step);
            if (_budget.Read(arguments) is not { } budget)
                return ModelCompressor.Compress(teacher, samples, options, progress, console.CancellationToken);
            kept = BudgetCompressor.Compress(
                teacher, samples, budget with { HeldOut = heldOutSamples, ReservedBytes = metadata.MostBytes(teacher) }, options, null, progress, console.CancellationToken);
            return kept.Compression;
        });
        if (ranks is not null)
            console.Note(RankArguments.Describe(ranks, Stopwatch.GetElapsedTime(compressing)));
        IReadOnlyList<SkippedImage> skipped = RankArguments.Skipped(ranks, samples.Skipped);
        if (!isWriter)
            return; // The first rank has the same network, and writes it.
        ModelGraph student = metadata.AddTo(result);
        (ModelGraph one, ModelGraph other) = ClassifierPart.Find(teacher) is { } before && ClassifierPart.Find(student) is { } after ? (before, after) : (teacher, student);
        bool isOneAnswer = one.Outputs.Length == 1 && !one.ForeignNodes.Any(), isDetector = DetectionProfile.Find(teacher, preprocessing.Height, preprocessing.Width) is not null;
        HeldOutReport? check = kept?.Check ?? (heldOutSamples is null || !(isOneAnswer || isDetector) ? null : console.Track("held-out check", step => HeldOutCheck.Run(
            one, other, heldOutSamples, names is null || isDetector ? null : OutputKind.Classes, options.Threads, runtime: options.ForeignRuntime,
            progress: new StepProgress<EvaluationProgress>(step, p => new((double)p.Images / heldOut!.Count, $"{p.Images} of {heldOut.Count} images")), cancellationToken: console.CancellationToken)));
        IReadOnlyList<OutputFigures> outputs = heldOutSamples is null || isOneAnswer ? [] : console.Track("held-out check", step => OutputAgreement.Compare(
            teacher, student, heldOutSamples, null, options.Threads, options.ForeignRuntime,
            new StepProgress<EvaluationProgress>(step, p => new((double)p.Images / heldOut!.Count, $"{p.Images} of {heldOut.Count} images")), console.CancellationToken));
        AtomicFile.Write(output, overwrite, stream => OnnxWriter.Write(student, stream, new() { DataFile = output + ".data" }));
        CompressionSummary summary = CompressionSummary.Of(result, output, new FileInfo(output).Length) with
        {
            HeldOut = check,
            Outputs = outputs,
            Skipped = [.. skipped, .. heldOutSamples?.Skipped ?? []],
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        if (_report.IsGiven(arguments))
        {
            CompressionDocument document = new()
            {
                Model = _model.Path(arguments),
                ModelBytes = new FileInfo(_model.Path(arguments)).Length,
                Summary = summary,
                Images = new(all.Path, all.Count, summary.Images, heldOut?.Count ?? 0, preprocessing.ToString(), stated.Origin),
                Curve = kept is null ? [] : AnalysisResult.Thin(kept.Analysis, kept.Plan),
                Classes = names ?? [],
                Configuration = EffectiveConfiguration.Of(arguments, Settings),
                MadeBy = MadeBy.Here(metadata.TeacherSha256),
            };
            _report.Write(arguments, overwrite, document, () => check is null ? new Dictionary<string, string>() : ReportPictures.Of(heldOut!, check.Worst.Select(w => w.Image)));
        }
        console.WriteResult(() => CompressionText.Of(summary, kept), summary.ToJson);
    }

    /// <summary>The options that a configuration holds.</summary>
    private IReadOnlyList<Option> Settings => [.. _budget.All, .. _compression.All, _heldOut.Symbol, .. _preprocessing.All];

    /// <summary>Classes are numbered as the model numbers them, where labels are learned from; else labels do not matter.</summary>
    private static ImageSource Labelled(ImageSource images, IReadOnlyList<string>? names, int? classes, CompressionOptions options)
    {
        if (options.Distillation?.Source != DistillationSource.Labels)
            return images;
        ImageArguments.RequireLabels(images, "--learn-from labels");
        return images.WithClassesOf(names, classes);
    }

    internal static ProgressStep Step(CompressionProgress p) =>
        new(p.Fraction, string.Join(' ', new[] { p.Stage, p.Layer, p.Detail }.Where(t => !string.IsNullOrEmpty(t))), p.Remaining);
}
