using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq predict.</summary>
internal sealed class PredictCommand : ToolCommand
{
    private const int BatchSize = 16;

    private readonly ModelArguments _model = new();
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "Image files, or one folder, zip or CSV of images.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<int> _top = new Option<int>("--top") { HelpName = "N", Description = "How many classes are shown for each image.", DefaultValueFactory = _ => 5 }.AtLeast(1);
    private readonly ClassNamesOption _classes = new();
    private readonly TaskOption _task = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly Option<int> _threads = ThreadsOption.Create();

    public PredictCommand()
        : base("predict", "Shows the likeliest classes of some images, or all outputs of a model that is no classifier.",
            "mlnet-pq predict model.pq.onnx cat.jpg dog.png --top 3 --classes names.txt")
    {
        AddSymbols([.. _model.All, _images, _top, _task.Symbol, _classes.Symbol, .. _preprocessing.All, .. _imageArguments.All, _threads]);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        long start = Stopwatch.GetTimestamp();
        ModelGraph model = _model.Load(arguments);
        ImagePreprocessing preprocessing = _preprocessing.Read(arguments, console, model, _model.Path(arguments)).Preprocessing;
        int threads = arguments.GetValue(_threads);
        string[] paths = arguments.GetRequiredValue(_images);
        using ImageSource images = paths.Length == 1 ? ImageSource.Open(paths[0], console.CancellationToken) : ImageSource.OpenFiles(paths);
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, images, preprocessing, threads);
        if (_task.Classifier(arguments, model) is not { } classifier)
        {
            (string engine, List<ImageOutputs> outputs) = console.Track("predict", progress => OutputPredictions.Run(model, samples, threads, progress, console.CancellationToken));
            ImageArguments.RequireSome(samples, images);
            var all = new OutputsResult(engine, outputs, samples.Skipped, Stopwatch.GetElapsedTime(start).TotalSeconds);
            console.WriteResult(() => OutputPredictions.Describe(all), () => JsonSerializer.Serialize(all, ToolJson.Default.OutputsResult));
            return;
        }
        model = classifier;
        using var session = new InferenceSession(model, new() { Threads = threads, InputShape = new(samples.Channels, samples.Height, samples.Width) });
        IReadOnlyList<string>? names = _classes.Read(arguments, model, session.OutputLength);
        List<ImagePrediction> predictions = console.Track("predict", progress => Predict(model, session, samples, arguments.GetValue(_top), names, progress, console.CancellationToken));
        ImageArguments.RequireSome(samples, images);
        var result = new PredictionResult(predictions, samples.Skipped, Stopwatch.GetElapsedTime(start).TotalSeconds);
        console.WriteResult(() => Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.PredictionResult));
    }

    private static List<ImagePrediction> Predict(
        ModelGraph model, InferenceSession session, ImageSampleSource samples, int top, IReadOnlyList<string>? names,
        IProgress<ProgressStep> progress, CancellationToken cancellationToken)
    {
        bool areProbabilities = ClassProbability.AreOutputsOf(model);
        int classes = session.OutputLength;
        var scores = new float[BatchSize * classes];
        var predictions = new List<ImagePrediction>();
        foreach (SampleBatch batch in samples.Read(BatchSize, cancellationToken))
        {
            session.Run(batch.Data.Span[..(int)(batch.Count * session.InputShape.Count)], batch.Count, scores.AsSpan(0, batch.Count * classes));
            for (int i = 0; i < batch.Count; i++)
                predictions.Add(new(batch.Names[i], [.. ClassProbability.Best(scores.AsSpan(i * classes, classes), top, areProbabilities)
                    .Select(p => new PredictedClass(p.Class, names?[p.Class], p.Probability))]));
            progress.Report(new((double)predictions.Count / samples.Count!.Value, $"{predictions.Count} of {samples.Count} images"));
        }
        return predictions;
    }

    private static string Describe(PredictionResult result)
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
