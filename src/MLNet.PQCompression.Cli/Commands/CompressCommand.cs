using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using MLNet.PQCompression.Cli.Configuration;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq compress.</summary>
internal sealed class CompressCommand : ToolCommand
{
    private readonly ModelArguments _model = new();
    private readonly Option<string?> _images = ImageArguments.CreateSource(required: false)!;
    private readonly Option<string?> _output = new("--output") { HelpName = "OUT.onnx", Description = "The file to write." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Show the plan as inspect does; read no image and write nothing." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };
    private readonly CompressionArguments _compression = new();
    private readonly ClassNamesOption _classes = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly HeldOutOption _heldOut = new();
    private readonly ReportOption _report = new();
    private readonly Option<int> _threads = ThreadsOption.Create();

    public CompressCommand()
        : base("compress", "Compresses a model from unlabelled images and writes it as ONNX.",
            "mlnet-pq compress model.onnx --images photos/ --output model.pq.onnx",
            "mlnet-pq compress resnet18.pth --arch resnet18 --images train.zip --output resnet18.pq.onnx --blocks large --layer 'fc:skip'")
    {
        AddSymbols([.. _model.All, _images, _output, .. _compression.All, _classes.Symbol, _heldOut.Symbol, _report.Symbol, _dryRun, _overwrite, .. _preprocessing.All, .. _imageArguments.All, _threads]);
        Validators.Add(result =>
        {
            if (!result.GetValue(_dryRun) && (result.GetResult(_images) is null || result.GetResult(_output) is null))
                result.AddError("compress needs --images and --output, or --dry-run.");
        });
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        long start = Stopwatch.GetTimestamp();
        if (arguments.GetValue(_dryRun))
        {
            ModelInspection inspection = ModelInspection.Of(_model.Load(arguments), _compression.Read(arguments, threads: 0), new FileInfo(_model.Path(arguments)).Length);
            console.WriteResult(() => InspectCommand.Describe(inspection), inspection.ToJson);
            return;
        }
        string output = arguments.GetRequiredValue(_output)!;
        bool overwrite = arguments.GetValue(_overwrite);
        AtomicFile.CheckTarget(output, overwrite);
        _report.Check(arguments, overwrite);
        ModelGraph teacher = _model.Load(arguments);
        IReadOnlyList<string>? names = _classes.Read(arguments, teacher, ClassNamesOption.Declared(teacher));
        ImagePreprocessing preprocessing = _preprocessing.Read(arguments, teacher);
        CompressionOptions options = _compression.Read(arguments, arguments.GetValue(_threads), preprocessing);
        using ImageSource all = ImageSource.Open(arguments.GetRequiredValue(_images)!);
        (ImageSource images, ImageSource? heldOut) = _heldOut.Split(arguments, Labelled(all, names, options).Sample(all.Count, options.Seed));
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, images, preprocessing, options.Threads);
        ModelCompressor.Plan(teacher, samples, options);
        CompressionResult result = console.Track("compress", progress => ModelCompressor.Compress(
            teacher, samples, options, new StepProgress<CompressionProgress>(progress, Step), console.CancellationToken));
        Provenance provenance = Provenance.Of(result.Report, options, Sha256(_model.Path(arguments)));
        ModelGraph student = result.Student.WithMetadata(result.Student.Metadata.SetItems(
            [preprocessing.ToMetadata(), provenance.ToMetadata(), .. names is null ? [] : new[] { ClassNames.ToMetadata(names) }]));
        AtomicFile.Write(output, overwrite, stream => OnnxWriter.Write(student, stream));
        ImageSampleSource? heldOutSamples = heldOut is null ? null : _imageArguments.Samples(arguments, console, heldOut, preprocessing, options.Threads);
        CompressionSummary summary = CompressionSummary.Of(result, output, new FileInfo(output).Length) with
        {
            HeldOut = heldOutSamples is null ? null : console.Track("held-out check", progress => HeldOutCheck.Run(
                teacher, student, heldOutSamples, names is null ? null : OutputKind.Classes, options.Threads,
                progress: new StepProgress<EvaluationProgress>(progress, p => new((double)p.Images / heldOut!.Count, $"{p.Images} of {heldOut.Count} images")), cancellationToken: console.CancellationToken)),
            Skipped = [.. samples.Skipped, .. heldOutSamples?.Skipped ?? []],
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        if (_report.IsGiven(arguments))
            _report.Write(arguments, overwrite, Document(arguments, summary, provenance, all, heldOut, names, _preprocessing.Origin(arguments, teacher), preprocessing), () => heldOut is null ? new Dictionary<string, string>() : ReportPictures.Of(heldOut, summary.HeldOut!.Worst.Select(w => w.Image)));
        console.WriteResult(() => Describe(summary), summary.ToJson);
    }

    private CompressionDocument Document(
        ParseResult arguments, CompressionSummary summary, Provenance provenance, ImageSource all, ImageSource? heldOut, IReadOnlyList<string>? names, string origin, ImagePreprocessing preprocessing) => new()
    {
        Model = _model.Path(arguments),
        ModelBytes = new FileInfo(_model.Path(arguments)).Length,
        Summary = summary,
        Images = new(all.Path, all.Count, summary.Images, heldOut?.Count ?? 0, preprocessing.ToString(), origin),
        Classes = names ?? [],
        Configuration = EffectiveConfiguration.Of(arguments, [.. _compression.All, _heldOut.Symbol]),
        MadeBy = MadeBy.Here(provenance.Teacher),
    };

    /// <summary>Classes are numbered as the model names them, where labels are learned from and both have names.</summary>
    private static ImageSource Labelled(ImageSource images, IReadOnlyList<string>? names, CompressionOptions options)
    {
        if (options.Distillation?.Source != DistillationSource.Labels)
            return images;
        if (images.Images.FirstOrDefault(i => i.Label < 0) is { } unlabelled)
            throw new InvalidDataException(
                $"The image '{unlabelled.Name}' of '{images.Path}' has no label; --learn-from labels needs a folder or zip of class folders, or a CSV of file,label. --learn-from teacher needs none.");
        return names is null ? images : images.WithClassOrder(names);
    }

    private static ProgressStep Step(CompressionProgress p) =>
        new(p.Fraction, string.Join(' ', new[] { p.Stage, p.Layer, p.Detail }.Where(t => !string.IsNullOrEmpty(t))));

    private static string Sha256(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string Describe(CompressionSummary summary)
    {
        string skipped = summary.Skipped.Count > 0 ? $", {summary.Skipped.Count} left out" : "";
        return string.Create(CultureInfo.InvariantCulture, $"""
            {LayerTable.Create(summary.Layers)}
            {summary.PaperBytes:N0} bytes of {summary.DenseBytes:N0}, {(double)summary.DenseBytes / summary.PaperBytes:0.0} times smaller (as the paper counts)
            {summary.Output}: {summary.FileBytes:N0} bytes, from {summary.Images} images{skipped}, in {summary.Seconds:0.0} s
            {HeldOut(summary.HeldOut)}

            """);
    }

    private static string HeldOut(HeldOutReport? held) => held switch
    {
        null => "Not checked: fewer than 128 images, or --held-out 0. Check the result with: mlnet-pq evaluate OUT.onnx --images OTHERS --teacher MODEL",
        { Agreement: not null } => string.Create(CultureInfo.InvariantCulture, $"Held-out check: KL(teacher || student) {held.Divergence:0.####} nats. {held.Meaning}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"Held-out check: cosine {held.Cosine:0.####} on {held.Images} images. {held.Meaning}"),
    };
}
