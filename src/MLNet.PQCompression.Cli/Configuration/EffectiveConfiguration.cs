using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Cli.Configuration;

/// <summary>The settings of a run as JSON: each option under its name, given or by default.</summary>
internal static class EffectiveConfiguration
{
    /// <summary>The values of options; one that has no value is left out.</summary>
    public static JsonObject Of(ParseResult arguments, IEnumerable<Option> options)
    {
        var settings = new JsonObject();
        foreach (Option option in options)
            if (Value(arguments.GetResult(option)) is { } value)
                settings[Key(option)] = value;
        return settings;
    }

    /// <summary>The values of those options that were given.</summary>
    public static JsonObject Given(ParseResult arguments, IEnumerable<Option> options) => Of(arguments, options.Where(o => arguments.GetResult(o) is { Implicit: false }));

    /// <summary>--max-images is maxImages.</summary>
    public static string Key(Option option) => JsonNamingPolicy.CamelCase.ConvertName(string.Concat(option.Name.TrimStart('-').Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..])));

    private static JsonNode? Value(OptionResult? result) => result?.GetValueOrDefault<object?>() switch
    {
        null => null,
        bool value => value,
        int value => value,
        long value => value,
        double value => value,
        string value => value,
        Enum value => value.ToString().ToLowerInvariant(),
        (int height, int width) => $"{height}x{width}",
        float[] values => new JsonArray([.. values.Select(v => (JsonNode)v)]),
        string[] values => values.Length == 0 ? null : new JsonArray([.. values.Select(v => (JsonNode)v)]),
        LayerOverride[] layers => layers.Length == 0 ? null : new JsonArray([.. layers.Select(l => (JsonNode)Layer(l))]),
        _ => result.Tokens.Count == 0 ? null : string.Join(' ', result.Tokens.Select(t => t.Value)),
    };

    private static JsonObject Layer(LayerOverride layer)
    {
        var json = new JsonObject { ["layer"] = layer.Pattern };
        if (layer.BlockSize is { } d)
            json["d"] = d;
        if (layer.Codewords is { } k)
            json["k"] = k;
        if (layer.Skip)
            json["skip"] = true;
        return json;
    }
}
