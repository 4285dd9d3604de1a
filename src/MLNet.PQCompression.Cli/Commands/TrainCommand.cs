using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq train.</summary>
internal sealed class TrainCommand : ToolCommand
{
    private static readonly ClassifierTrainingOptions Defaults = new();

    private readonly Option<string> _architecture = new("--arch") { HelpName = "NAME", Description = "The network to train from scratch, such as resnet20.", Required = true };
    private readonly Option<string> _images = ImageArguments.CreateSource(required: true);
    private readonly Option<string> _output = new("--output") { HelpName = "FILE", Description = "FILE.onnx, or FILE.safetensors for the weights alone.", Required = true };
    private readonly Option<int> _epochs = Number("--epochs", "Epochs over all images.", Defaults.Epochs);
    private readonly Option<int> _batch = Number("--batch", "Images in a batch.", Defaults.BatchSize);
    private readonly Option<double> _rate = new("--rate") { HelpName = "R", Description = "The learning rate at its highest.", DefaultValueFactory = _ => Defaults.Rate.LearningRate };
    private readonly Option<int> _seed = new("--seed") { HelpName = "N", Description = "Seed of the first weights, the order and the augmentation." };
    private readonly Option<string?> _checkpoint = new("--checkpoint") { HelpName = "FOLDER", Description = "Keep the state there after each epoch; the same command, interrupted, goes on from it." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };
    private readonly ImageArguments _imageArguments = new();
    private readonly Option<int> _threads = ThreadsOption.Create();
    private readonly BackendArguments _backend = new();

    public TrainCommand()
        : base("train", "Trains a classifier from scratch on labelled images: enough to make a teacher.",
            "mlnet-pq train --arch resnet20 --images train.zip --output teacher.safetensors --epochs 30")
    {
        AddSymbols([_architecture, _images, _output, _epochs, _batch, _rate, _seed, _checkpoint, _overwrite, .. _imageArguments.All, _threads, .. _backend.All]);
        Validators.Add(_backend.Validate);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        long start = Stopwatch.GetTimestamp();
        string output = arguments.GetRequiredValue(_output);
        bool overwrite = arguments.GetValue(_overwrite);
        AtomicFile.CheckTarget(output, overwrite);
        string extension = Path.GetExtension(output).ToLowerInvariant();
        if (extension is not (".onnx" or ".safetensors"))
            throw new UsageException($"--output '{output}': the name must end in .onnx or .safetensors.");
        Architecture architecture = Architecture.Find(arguments.GetRequiredValue(_architecture));
        int threads = arguments.GetValue(_threads), seed = arguments.GetValue(_seed);
        AtomicFile.CheckFolder(arguments.GetValue(_checkpoint));
        using ImageSource source = ImageSource.Open(arguments.GetRequiredValue(_images), console.CancellationToken);
        ImageArguments.RequireLabels(source, "training");
        int classes = source.ClassNames.Count > 0 ? source.ClassNames.Count : source.Images.Max(i => i.Label) + 1;
        if (source.Images.Select(i => i.Label).Distinct().Count() is var seen && seen < classes)
            console.Note($"note: {classes - seen} of {classes} classes have no image; the network will have an output for each all the same.");
        ModelGraph network = WeightInitializer.Initialize(architecture.Untrained(classes), seed);
        var preprocessing = ImagePreprocessing.Default(new TensorShape(-1, 3, architecture.ImageSize, architecture.ImageSize));
        ClassifierTrainingOptions options = Defaults with
        {
            Epochs = arguments.GetValue(_epochs),
            BatchSize = arguments.GetValue(_batch),
            Rate = Defaults.Rate with { LearningRate = arguments.GetValue(_rate) },
            Seed = seed,
        };
        CheckpointFolder? checkpoints = arguments.GetValue(_checkpoint) is { } folder ? new(folder) : null;
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, source, preprocessing, threads);
        double loss = 0;
        string ranOn = "";
        ModelGraph trained = console.Track("train", progress =>
        {
            TrainingSet images = TrainingSet.Load(samples, cancellationToken: console.CancellationToken);
            using IBackend backend = _backend.Create(arguments, threads, console.Note);
            ranOn = backend.Name;
            var steps = new StepProgress<DistillationProgress>(progress, p =>
            {
                loss = p.Loss;
                return new((double)p.Step / p.Steps, string.Create(CultureInfo.InvariantCulture, $"step {p.Step} of {p.Steps}, loss {p.Loss:0.0000}, {p.ImagesPerSecond:0} images/s"));
            });
            return ClassifierTrainer.Train(backend, network, images, options, checkpoints, steps, console.CancellationToken);
        });
        trained = trained.WithMetadata(trained.Metadata.SetItems(
            [preprocessing.ToMetadata(), .. source.ClassNames.Count == classes ? new[] { ClassNames.ToMetadata(source.ClassNames) } : []]));
        AtomicFile.Write(output, overwrite, stream =>
        {
            if (extension == ".onnx")
                OnnxWriter.Write(trained, stream, new() { DataFile = output + ".data" });
            else
                SafetensorsFile.Write(StateDict.FromGraph(trained), stream);
        });
        var result = new TrainResult(output, new FileInfo(output).Length, samples.Count ?? 0, classes, options.Epochs, loss, samples.Skipped, ranOn, Stopwatch.GetElapsedTime(start).TotalSeconds);
        console.WriteResult(
            () => string.Create(CultureInfo.InvariantCulture, $"{result.Output}: {architecture.Name}, {result.Classes} classes, {result.Images} images, last loss {result.Loss:0.0000}, in {result.Seconds:0.0} s ({result.Backend})"),
            () => JsonSerializer.Serialize(result, ToolJson.Default.TrainResult));
    }

    private static Option<int> Number(string name, string description, int value) =>
        new Option<int>(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => value }.AtLeast(1);
}
