using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq export.</summary>
internal sealed class ExportCommand : ToolCommand
{
    private readonly ModelArguments _model = new();
    private readonly Option<string> _output = new("--output") { HelpName = "FILE", Description = "FILE.onnx, or FILE.safetensors for the weights alone, decoded.", Required = true };
    private readonly Option<bool> _dense = new("--dense") { Description = "Decode compressed weights to float32." };
    private readonly Option<int?> _opset = new("--opset")
    {
        HelpName = "N",
        Description = $"The ONNX operator set, {OnnxWriteOptions.MinOpset} to {OnnxWriteOptions.MaxOpset}.",
    };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };

    public ExportCommand()
        : base("export", "Writes a model as ONNX or safetensors, compressed or dense.",
            "mlnet-pq export model.pq.onnx --output model.onnx --dense",
            "mlnet-pq export resnet18.pth --arch resnet18 --output resnet18.onnx")
    {
        AddSymbols([.. _model.All, _output, _dense, _opset, _overwrite]);
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
        if (extension == ".safetensors" && arguments.GetValue(_opset) is not null)
            throw new UsageException("--opset is for ONNX files only.");
        ModelGraph model = _model.Load(arguments);
        AtomicFile.Write(output, overwrite, stream =>
        {
            if (extension == ".onnx")
                OnnxWriter.Write(model, stream, WriteOptions(arguments) with { DataFile = output + ".data" });
            else
                SafetensorsFile.Write(StateDict.FromGraph(model), stream);
        });
        var result = new ExportResult(output, new FileInfo(output).Length, Stopwatch.GetElapsedTime(start).TotalSeconds);
        console.WriteResult(
            () => string.Create(CultureInfo.InvariantCulture, $"{result.Output}: {result.FileBytes:N0} bytes"),
            () => JsonSerializer.Serialize(result, ToolJson.Default.ExportResult));
    }

    private OnnxWriteOptions WriteOptions(ParseResult arguments)
    {
        OnnxWriteOptions options = new() { Dense = arguments.GetValue(_dense) };
        return arguments.GetValue(_opset) is { } opset ? options with { Opset = opset } : options;
    }
}
