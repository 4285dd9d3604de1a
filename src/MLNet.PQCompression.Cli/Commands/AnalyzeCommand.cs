using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq analyze.</summary>
internal sealed class AnalyzeCommand : ToolCommand
{
    private static readonly double[] ShownRatios = [4, 8, 12, 16, 20, 25, 30, 35, 40];

    private readonly ModelArguments _model = new();
    private readonly Option<string> _images = ImageArguments.CreateSource(required: true);
    private readonly CompressionArguments _compression = new();
    private readonly PreprocessingArguments _preprocessing = new();
    private readonly ImageArguments _imageArguments = new();
    private readonly Option<int> _threads = ThreadsOption.Create();

    public AnalyzeCommand()
        : base("analyze", "Shows how sensitive each layer is and what each size would cost, without writing a model.",
            "mlnet-pq analyze model.onnx --images photos/",
            "mlnet-pq analyze resnet18.pth --images train.zip --layer 'fc:skip' --json")
    {
        AddSymbols([.. _model.All, _images, .. _compression.Analysis, .. _preprocessing.All, .. _imageArguments.All, _threads]);
    }

    /// <summary>The analysis as text.</summary>
    public static string Describe(AnalysisResult result)
    {
        var layers = new TextTable("layer", "shape", ">d", ">k", ">error", ">cost", ">share");
        double whole = Math.Max(result.Layers.Sum(l => l.Divergence ?? 0), double.Epsilon);
        foreach (AnalyzedLayer layer in result.Layers)
            layers.Add(layer.Weight, string.Join('×', layer.Shape), $"{layer.BlockSize}", $"{layer.Codewords}", Number(layer.Error, "0.0%"), Number(layer.Divergence, "0.00000"), Number(layer.Divergence / whole, "0.0%"));
        var curve = new TextTable(">ratio", ">bytes", ">cost");
        foreach (double ratio in ShownRatios)
            if (result.Curve.LastOrDefault(p => p.FileBytes <= result.DenseBytes / ratio) is { FileBytes: > 0 } point)
                curve.Add(Number(ratio, "0×"), Number(point.FileBytes, "N0"), Number(point.Divergence, "0.0000"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            {result.Model}: {result.DenseBytes:N0} bytes in float32, measured on {result.Images} images in {result.Seconds:0.0} s
            Cost is {(result.Kind == OutputKind.Classes ? "KL(teacher || student) in nats" : "1 − cosine of the outputs")}.

            Each layer alone quantized, all others as they are:
            {layers.ToString(ToolConsole.Width)}
            The best plan of each size, the costs of its layers added (several errors together may cost more):
            {curve}
            compress --target-ratio N or --target-size SIZE carries a plan out.

            """);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        ModelGraph model = _model.Load(arguments);
        ImagePreprocessing preprocessing = _preprocessing.Read(arguments, console, model, _model.Path(arguments)).Preprocessing;
        CompressionOptions options = _compression.ReadAnalysis(arguments, arguments.GetValue(_threads));
        using ImageSource all = ImageSource.Open(arguments.GetRequiredValue(_images), console.CancellationToken);
        ImageSampleSource samples = _imageArguments.Samples(arguments, console, all.Sample(all.Count, options.Seed), preprocessing, options.Threads);
        NetworkAnalysis analysis = console.Track("analyze", progress => NetworkAnalyzer.Analyze(
            model, samples, options, new StepProgress<CompressionProgress>(progress, CompressCommand.Step), console.CancellationToken));
        AnalysisResult result = AnalysisResult.Of(_model.Path(arguments), analysis);
        console.WriteResult(() => Describe(result), () => JsonSerializer.Serialize(result, ToolJson.Default.AnalysisResult));
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
