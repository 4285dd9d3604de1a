using System.CommandLine;
using System.Globalization;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
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

            {LayerTable.Create(inspection.Layers)}
            {state}: {inspection.PaperBytes:N0} bytes of {inspection.DenseBytes:N0}, {(double)inspection.DenseBytes / inspection.PaperBytes:0.0} times smaller (as the paper counts)
            {foreign}
            """);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        ModelInspection inspection = ModelInspection.Of(_model.Load(arguments), _compression.Read(arguments, threads: 0), new FileInfo(_model.Path(arguments)).Length);
        console.WriteResult(() => Describe(inspection), inspection.ToJson);
    }
}
