using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLNet.PQCompression.Cli.Configuration;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>mlnet-pq init.</summary>
internal sealed class InitCommand : ToolCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly ModelArguments _model = new();
    private readonly CompressionArguments _compression = new();
    private readonly Option<string> _output = new("--output") { HelpName = "FILE.json", Description = "The file to write.", DefaultValueFactory = _ => "pq.json" };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the output where it exists." };

    public InitCommand()
        : base("init", "Writes a configuration for a model, its plan filled in layer by layer, and the schema that editors complete it by.",
            "mlnet-pq init model.onnx",
            "mlnet-pq init resnet18.pth --blocks large --output large.json")
    {
        AddSymbols([.. _model.All, _output, .. _compression.All, _overwrite]);
    }

    protected override void Execute(ParseResult arguments, ToolConsole console)
    {
        (string output, bool overwrite) = (arguments.GetRequiredValue(_output), arguments.GetValue(_overwrite));
        AtomicFile.CheckTarget(output, overwrite);
        CompressionPlan plan = CompressionPlan.Create(_model.Load(arguments), _compression.Read(arguments, threads: 0));
        var settings = new JsonObject { ["$schema"] = ConfigurationSchema.FileName };
        foreach ((string key, JsonNode? value) in EffectiveConfiguration.Of(arguments, _compression.All))
            settings[key] = value?.DeepClone();
        settings["layer"] = new JsonArray([.. plan.Layers.Select(l => (JsonNode)(l.IsQuantized
            ? new JsonObject { ["layer"] = l.Weight, ["d"] = l.BlockSize, ["k"] = l.Codewords }
            : new JsonObject { ["layer"] = l.Weight, ["skip"] = true }))]);
        string schema = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(output))!, ConfigurationSchema.FileName);
        Write(output, overwrite, settings.ToJsonString(Indented) + "\n");
        Write(schema, overwrite: true, ConfigurationSchema.Of(new CompressCommand().ConfigurableOptions));
        console.WriteResult(
            () => $"{output}: {plan.Layers.Length} layers\n{schema}: the schema\nUse it: mlnet-pq compress {_model.Path(arguments)} --images SRC --output OUT.onnx --config {output}\n",
            () => JsonSerializer.Serialize(new InitResult(output, schema, plan.Layers.Length), ToolJson.Default.InitResult));
    }

    private static void Write(string path, bool overwrite, string text) => AtomicFile.Write(path, overwrite, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
