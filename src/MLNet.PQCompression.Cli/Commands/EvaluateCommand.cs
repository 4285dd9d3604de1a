using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.OnnxRuntime;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq evaluate.</summary>
internal sealed partial class EvaluateCommand : ToolCommand
{
    private readonly ModelArguments _model = new();
    private readonly Option<string> _images = ImageArguments.CreateSource(required: true);
    private readonly Option<string?> _labels = new("--labels") { HelpName = "CSV", Description = "A list of file,label: class indices or names. Without it class folders give the labels." };
    private readonly DetectionArguments _detection = new();
    private readonly Option<string?> _coco = new("--coco") { HelpName = "JSON", Description = "For a detector: the objects in the images, as COCO's instances files have them; gives the average precision of boxes and masks." };
    private readonly Option<string?> _teacher = new("--teacher") { HelpName = "MODEL", Description = "The model to compare with: agreement and KL(teacher || model)." };
    private readonly Option<string?> _teacherArchitecture = new("--teacher-arch") { HelpName = "NAME", Description = "The teacher's architecture where it is a state dict; see --arch." };
    private readonly Option<int?> _limit = new Option<int?>("--limit") { HelpName = "N", Description = "Score at most N images, drawn at random with --seed." }.AtLeast(1);
    private readonly Option<int> _seed = new("--seed") { HelpName = "N", Description = "Seed of the draw." };
    private readonly ShardArguments _shards = new();
    private readonly ClassNamesOption _classes = new();
    private readonly TaskOption _task = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly Option<int> _threads = ThreadsOption.Create();

    public EvaluateCommand()
        : base("evaluate", "Scores a model on images: top-1 and top-5 against labels, average precision against boxes and masks, agreement and KL divergence against a teacher.",
            "mlnet-pq evaluate model.pq.onnx --images test.zip --teacher model.onnx",
            "mlnet-pq evaluate resnet18.pth --arch resnet18 --images val/ --labels labels.csv --limit 1000 --json",
            "mlnet-pq evaluate detector.pq.onnx --images val2017/ --coco instances.json --teacher detector.onnx",
            "mlnet-pq evaluate model.pq.onnx --images val/ --results scores/ --shard 0/8")
    {
        AddSymbols([.. _model.All, _images, _labels, _coco, _detection.Profile, _teacher, _teacherArchitecture, _limit, _seed, .. _shards.All, _task.Symbol, _classes.Symbol, .. _preprocessing.All, .. _imageArguments.All, _threads]);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        ModelGraph model = _model.Load(arguments);
        ModelGraph? teacher = arguments.GetValue(_teacher) is { } path ? ModelArguments.Load(path, arguments.GetValue(_teacherArchitecture)) : null;
        if (arguments.GetValue(_coco) is { } annotations)
        {
            Detections(arguments, console, model, teacher, annotations);
            return;
        }
        if (arguments.GetValue(_detection.Profile) is not null)
            throw new UsageException("--profile is for --coco.");
        using ImageSource all = ImageSource.Open(arguments.GetRequiredValue(_images), console.CancellationToken);
        bool isUnnamed = teacher is not null && !all.HasLabels && arguments.GetValue(_labels) is null && arguments.GetResult(_classes.Symbol) is null;
        ModelGraph? classifier = _task.Classifier(arguments, model, needsProof: isUnnamed);
        if (classifier is null && teacher is null)
            throw new UsageException("This model is no classifier: give --teacher, and every output is compared with the teacher's.");
        StatedPreprocessing stated = _preprocessing.Read(arguments, console, model, _model.Path(arguments));
        ImagePreprocessing preprocessing = stated.Preprocessing;
        int threads = arguments.GetValue(_threads);
        ImageSource images = classifier is null ? all : Labelled(arguments, all, classifier, preprocessing);
        if (arguments.GetValue(_limit) is { } limit && limit < images.Count)
            images = images.Sample(limit, arguments.GetValue(_seed));
        ShardWork? shard = _shards.Read(arguments, images);
        if (shard is not null && classifier is null)
            throw new UsageException("--results is for classifiers: outputs that are no classes are compared over all images at once.");
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, shard?.Images ?? images, preprocessing, threads);
        PreprocessingArguments.Check(console, teacher ?? model, stated, images, threads);
        EvaluationReport report = console.Track("evaluate", step =>
        {
            var progress = new StepProgress<EvaluationProgress>(step, p => new((double)p.Images / (p.Total ?? images.Count), $"{p.Images} of {p.Total} images"));
            if (classifier is null)
                return OutputAgreement.Evaluate(teacher!, model, samples, new() { Threads = threads, ForeignRuntime = new OnnxRuntimeEngine() }, progress, console.CancellationToken);
            long start = Stopwatch.GetTimestamp();
            IEnumerable<ImageScore> scores = ModelEvaluator.Score(
                classifier, samples, teacher is null ? null : _task.Classifier(arguments, teacher), new() { Threads = threads }, progress, console.CancellationToken);
            EvaluationReport scored = shard is null
                ? EvaluationReport.Of(scores, teacher is not null)
                : shard.Write(Name, _model.Path(arguments), arguments.GetValue(_teacher), null, preprocessing.ToMetadata().Value, samples, file => EvaluationReport.Of(scores.Select(score =>
                {
                    file.Add(score.Image, line => line with { Score = score });
                    return score;
                }), teacher is not null));
            return scored with { Skipped = samples.Skipped, Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
        });
        if (shard is null)
            ImageArguments.RequireSome(samples, images);
        console.WriteResult(() => $"{Describe(report)}{shard}", report.ToJson);
    }

    /// <summary>Images with labels, numbered as the classifier numbers its classes.</summary>
    private ImageSource Labelled(ParseResult arguments, ImageSource images, ModelGraph classifier, ImagePreprocessing preprocessing)
    {
        int? classes = ClassNamesOption.Count(classifier, preprocessing);
        return (arguments.GetValue(_labels) is { } list ? images.WithLabels(list) : images).WithClassesOf(_classes.Read(arguments, classifier, classes), classes);
    }

    /// <summary>Every output beside the teacher's.</summary>
    internal static string Describe(IReadOnlyList<OutputFigures> outputs)
    {
        var table = new TextTable("output", ">cosine", ">5% below", ">least", ">relative error", ">other shape");
        foreach (OutputFigures o in outputs)
            table.Add(o.Name, Text(o.Cosine), Text(o.FifthPercentile), Text(o.LeastCosine), Text(o.RelativeError), $"{o.Other}");
        return table.ToString();

        static string Text(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The figures as a table.</summary>
    internal static string Describe(EvaluationReport report)
    {
        if (report.Outputs.Count > 0)
            return string.Create(CultureInfo.InvariantCulture, $"{Describe(report.Outputs)}{report.Images} images in {report.Seconds:0.0} s{(report.Skipped.Count > 0 ? $", {report.Skipped.Count} left out" : "")}\n");
        var table = new TextTable("", ">count", ">of", ">share");
        Add("top-1", report.Top1, report.Labelled);
        Add("top-5", report.Top5, report.Labelled);
        Add("the teacher's top-1", report.TeacherTop1, report.Labelled);
        Add("the teacher's top-5", report.TeacherTop5, report.Labelled);
        Add("agreement with the teacher", report.Agreement, report.Images);
        string divergence = report.Divergence is { } kl ? string.Create(CultureInfo.InvariantCulture, $"KL(teacher || model): {kl:0.#####} nats\n") : "";
        string skipped = report.Skipped.Count > 0 ? $", {report.Skipped.Count} left out" : "";
        string unlabelled = report.Labelled == 0 ? "No labels: give --labels or class folders for top-1 and top-5.\n" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{table}{divergence}{unlabelled}{report.Images} images in {report.Seconds:0.0} s{skipped}\n");

        void Add(string name, int? count, int of)
        {
            if (count is { } known)
                table.Add(name, $"{known}", $"{of}", string.Create(CultureInfo.InvariantCulture, $"{100.0 * known / of:0.00}%"));
        }
    }
}
