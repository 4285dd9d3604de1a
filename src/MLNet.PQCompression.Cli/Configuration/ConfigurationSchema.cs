using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLNet.PQCompression.Cli.Configuration;

/// <summary>The JSON schema of configuration files, made from the options that they may set.</summary>
internal static class ConfigurationSchema
{
    /// <summary>The name under which it is written beside a configuration.</summary>
    public const string FileName = "mlnet-pq.schema.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema as text.</summary>
    public static string Of(IEnumerable<Option> options)
    {
        var properties = new JsonObject { ["$schema"] = new JsonObject { ["type"] = "string" } };
        foreach (Option option in options)
        {
            JsonObject property = Type(option);
            property["description"] = option.Description;
            properties[EffectiveConfiguration.Key(option)] = property;
        }
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Settings of mlnet-pq compress",
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        }.ToJsonString(Indented) + "\n";
    }

    private static JsonObject Type(Option option)
    {
        Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return type switch
        {
            { IsEnum: true } => new() { ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(n => (JsonNode)n.ToLowerInvariant())]) },
            _ when type == typeof(bool) => new() { ["type"] = "boolean" },
            _ when type == typeof(int) => new() { ["type"] = "integer" },
            _ when type == typeof(long) || type == typeof(double) => new() { ["type"] = new JsonArray("number", "string") },
            _ when type == typeof(float[]) => new() { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "number" } },
            _ when type == typeof(string[]) => new() { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
            _ when type == typeof(Compression.LayerOverride[]) => new() { ["type"] = "array", ["items"] = Layer() },
            _ when type == typeof(string) => new() { ["type"] = "string" },
            _ => new() { ["type"] = new JsonArray("number", "string") },
        };
    }

    private static JsonObject Layer() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["layer"] = new JsonObject { ["type"] = "string", ["description"] = "The layer's node or weight name; * and ? are allowed." },
            ["d"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["description"] = "Values in a block." },
            ["k"] = new JsonObject { ["type"] = "integer", ["minimum"] = 2, ["maximum"] = 65536, ["description"] = "Codewords." },
            ["skip"] = new JsonObject { ["const"] = true, ["description"] = "Leaves the layer dense." },
        },
        ["required"] = new JsonArray("layer"),
        ["additionalProperties"] = false,
    };
}
