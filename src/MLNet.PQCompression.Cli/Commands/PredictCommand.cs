using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Sharding;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq predict.</summary>
internal sealed partial class PredictCommand : ToolCommand
{
    private const int BatchSize = 16;

    private readonly ModelArguments _model = new();
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "Image files, or one folder, zip or CSV of images.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<int> _top = new Option<int>("--top") { HelpName = "N", Description = "How many classes are shown for each image.", DefaultValueFactory = _ => 5 }.AtLeast(1);
    private readonly ShardArguments _shards = new();
    private readonly DetectionArguments _detection = new();
    private readonly ClassNamesOption _classes = new();
    private readonly TaskOption _task = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly Option<int> _threads = ThreadsOption.Create();

    public PredictCommand()
        : base("predict", "Shows the likeliest classes of some images, the objects in them, or all outputs of a model that is neither classifier nor detector.",
            "mlnet-pq predict model.pq.onnx cat.jpg dog.png --top 3 --classes names.txt",
            "mlnet-pq predict detector.pq.onnx photos/ --draw drawn/ --classes names.txt",
            "mlnet-pq predict model.pq.onnx photos/ --results predictions/ --shard 0/8")
    {
        AddSymbols([.. _model.All, _images, _top, .. _detection.All, .. _shards.All, _task.Symbol, _classes.Symbol, .. _preprocessing.All, .. _imageArguments.All, _threads]);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        long start = Stopwatch.GetTimestamp();
        ModelGraph model = _model.Load(arguments);
        ImagePreprocessing preprocessing = _preprocessing.Read(arguments, console, model, _model.Path(arguments)).Preprocessing;
        int threads = arguments.GetValue(_threads);
        string[] paths = arguments.GetRequiredValue(_images);
        using ImageSource images = paths.Length == 1 ? ImageSource.Open(paths[0], console.CancellationToken) : ImageSource.OpenFiles(paths);
        if (_task.Detector(arguments, model, preprocessing, _detection.Chosen(arguments)) is { } profile)
        {
            Detections(arguments, console, model, preprocessing, profile, images, start);
            return;
        }
        _detection.RefuseForOthers(arguments, model);
        ShardWork? shard = _shards.Read(arguments, images);
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, shard?.Images ?? images, preprocessing, threads);
        if (_task.Classifier(arguments, model, needsProof: arguments.GetResult(_classes.Symbol) is null) is not { } classifier)
        {
            using var outputs = new OutputPredictions(model, samples, threads);
            if (shard is not null && outputs.BatchSize > 1)
                throw new UsageException($"--results writes a line an image, and this model takes {outputs.BatchSize} images at once.");
            List<ImageOutputs> found = console.Track("predict", progress => Collect(
                outputs.Run(progress, console.CancellationToken), o => o.Image, (line, o) => line with { Outputs = o }, shard, _model.Path(arguments), outputs.Engine, preprocessing.ToMetadata().Value, samples));
            var all = new OutputsResult(outputs.Engine, found, samples.Skipped, Stopwatch.GetElapsedTime(start).TotalSeconds);
            Show(() => OutputPredictions.Describe(all), () => JsonSerializer.Serialize(all, ToolJson.Default.OutputsResult));
            return;
        }
        model = classifier;
        using var session = new InferenceSession(model, new() { Threads = threads, InputShape = new(samples.Channels, samples.Height, samples.Width) });
        IReadOnlyList<string>? names = _classes.Read(arguments, model, session.OutputLength);
        int top = arguments.GetValue(_top);
        string settings = string.Create(CultureInfo.InvariantCulture, $"{preprocessing.ToMetadata().Value} top {top} {string.Join(',', names ?? [])}");
        List<ImagePrediction> predictions = console.Track("predict", progress => Collect(
            Predict(model, session, samples, top, names, progress, console.CancellationToken), p => p.Image, (line, p) => line with { Prediction = p }, shard, _model.Path(arguments), null, settings, samples));
        var result = new PredictionResult(predictions, samples.Skipped, Stopwatch.GetElapsedTime(start).TotalSeconds);
        Show(() => Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.PredictionResult));

        void Show(Func<string> text, Func<string> json)
        {
            if (shard is null)
                ImageArguments.RequireSome(samples, images);
            console.WriteResult(shard is null ? text : shard.ToString, json);
        }
    }

    /// <summary>What is found, for the screen, or written to a shard's file image by image.</summary>
    private List<T> Collect<T>(
        IEnumerable<T> found, Func<T, string> nameOf, Func<ShardLine, T, ShardLine> line, ShardWork? shard, string modelPath, string? engine, string settings, ImageSampleSource samples)
    {
        if (shard is null)
            return [.. found];
        return shard.Write(Name, modelPath, null, engine, settings, samples, file =>
        {
            foreach (T one in found)
                file.Add(nameOf(one), l => line(l, one));
            return new List<T>();
        });
    }

    private static IEnumerable<ImagePrediction> Predict(
        ModelGraph model, InferenceSession session, ImageSampleSource samples, int top, IReadOnlyList<string>? names,
        IProgress<ProgressStep> progress, CancellationToken cancellationToken)
    {
        bool areProbabilities = ClassProbability.AreOutputsOf(model);
        int classes = session.OutputLength, done = 0;
        var scores = new float[BatchSize * classes];
        foreach (SampleBatch batch in samples.Read(BatchSize, cancellationToken))
        {
            session.Run(batch.Data.Span[..(int)(batch.Count * session.InputShape.Count)], batch.Count, scores.AsSpan(0, batch.Count * classes));
            for (int i = 0; i < batch.Count; i++)
                yield return new(batch.Names[i], [.. ClassProbability.Best(scores.AsSpan(i * classes, classes), top, areProbabilities)
                    .Select(p => new PredictedClass(p.Class, names?[p.Class], p.Probability))]);
            done += batch.Count;
            progress.Report(new((double)done / samples.Count!.Value, $"{done} of {samples.Count} images"));
        }
    }

    /// <summary>The predictions as a table.</summary>
    internal static string Describe(PredictionResult result)
    {
        var table = new TextTable("image", ">class", ">probability", "name");
        foreach (ImagePrediction image in result.Images)
            foreach ((int rank, PredictedClass predicted) in image.Classes.Index())
                table.Add(
                    rank == 0 ? image.Image : "", $"{predicted.Class}", predicted.Probability.ToString("0.0000", CultureInfo.InvariantCulture),
                    predicted.Name ?? "");
        return table.ToString();
    }
}
