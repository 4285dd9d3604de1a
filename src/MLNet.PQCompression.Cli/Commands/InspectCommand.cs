using System.CommandLine;
using System.Globalization;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq inspect.</summary>
internal sealed class InspectCommand : ToolCommand
{
    private readonly ModelArguments _model = new();
    private readonly CompressionArguments _compression = new();

    public InspectCommand()
        : base("inspect", "Shows a model layer by layer: what compression would do to it or, for a compressed model, has done.",
            "mlnet-pq inspect resnet18.pth --arch resnet18 --blocks large",
            "mlnet-pq inspect model.pq.onnx --json")
    {
        AddSymbols([.. _model.All, .. _compression.Plan]);
    }

    /// <summary>The inspection as text.</summary>
    public static string Describe(ModelInspection inspection)
    {
        string state = inspection.Compressed ? "compressed" : "planned";
        string foreign = inspection.Foreign.Count == 0 ? ""
            : $"foreign: {string.Join(", ", inspection.Foreign.Select(f => $"{f.Key} ({f.Value})"))}; ONNX Runtime runs what stands between layers, and scores the model\n";
        return string.Create(CultureInfo.InvariantCulture, $"""
            {inspection.Model}: input {new TensorShape(inspection.InputShape.AsSpan())}, file of {inspection.FileBytes:N0} bytes

            {LayerTable.Create(inspection.Layers).ToString(ToolConsole.Width)}
            {state}: {inspection.PaperBytes:N0} bytes of {inspection.DenseBytes:N0}, {(double)inspection.DenseBytes / inspection.PaperBytes:0.0} times smaller (as the paper counts)
            {Estimate(inspection.Estimate)}{foreign}
            """);
    }

    /// <summary>The inspection with what compression would take on this machine.</summary>
    public static ModelInspection Inspect(ModelGraph model, CompressionOptions options, string path)
    {
        ModelInspection inspection = ModelInspection.Of(model, options, new FileInfo(path).Length);
        if (inspection.Compressed || model.Input.Shape.Rank != 4 || inspection.Layers.All(l => l.Codewords is null))
            return inspection;
        return inspection with { Estimate = TryEstimate(model, options, images: null) };
    }

    /// <summary>What compression would take, or null where shapes tell themselves only in a run.</summary>
    public static CompressionEstimate? TryEstimate(ModelGraph model, CompressionOptions options, int? images)
    {
        try
        {
            return CompressionEstimate.Measure(model, options, images);
        }
        catch (InvalidModelException)
        {
            return null;
        }
    }

    private static string Estimate(CompressionEstimate? estimate) => estimate is null ? "" : $"compress would take {Describe(estimate)}\n";

    /// <summary>"about 4 min on this machine and 0.8 GB, with 2,048 images".</summary>
    public static string Describe(CompressionEstimate estimate) => string.Create(CultureInfo.InvariantCulture,
        $"about {Time(estimate.Seconds)} on this machine and {Math.Max(0.1, estimate.MemoryBytes / (double)(1 << 30)):0.0} GB, with {estimate.Images:N0} images{(estimate.Views > 1 ? $", {estimate.Views} views of each" : "")}");

    private static string Time(double seconds) => seconds < 90
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, seconds):0} s")
        : seconds < 5400 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min") : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h");

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        ModelInspection inspection = Inspect(_model.Load(arguments), _compression.Read(arguments, threads: 0), _model.Path(arguments));
        console.WriteResult(() => Describe(inspection), inspection.ToJson);
    }
}
