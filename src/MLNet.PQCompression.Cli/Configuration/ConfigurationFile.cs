using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLNet.PQCompression.Cli.Configuration;

/// <summary>A JSON file of settings. Each is an option of the command under its name; one that is given on the command line too is taken from there.</summary>
internal static class ConfigurationFile
{
    /// <summary>More is no configuration.</summary>
    private const int MostBytes = 1 << 20;

    private static readonly JsonDocumentOptions Reading = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 8 };

    /// <summary>The command line that a file's settings stand for.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">The options that it may set.</param>
    /// <param name="isGiven">Whether an option is on the command line already.</param>
    /// <exception cref="InvalidDataException">The file is no configuration; the message names the entry.</exception>
    public static IReadOnlyList<string> Arguments(string path, IReadOnlyList<Option> options, Predicate<Option> isGiven)
    {
        var arguments = new List<string>();
        foreach ((string key, JsonNode? value) in Read(path))
        {
            if (key == "$schema")
                continue;
            Option option = options.FirstOrDefault(o => EffectiveConfiguration.Key(o) == key)
                ?? throw Broken(path, $"'{key}' is no setting{Suggestion.For(key, options.Select(EffectiveConfiguration.Key))}");
            // Layers add up, those of the command line last so that they win; all else is taken from one place.
            if (isGiven(option) && option.ValueType != typeof(Compression.LayerOverride[]))
                continue;
            foreach (string text in Texts(path, key, option, value))
                arguments.AddRange(option.ValueType == typeof(bool) ? text == "true" ? [option.Name] : [] : [option.Name, text]);
        }
        return arguments;
    }

    private static JsonObject Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no configuration file '{path}'; mlnet-pq init MODEL writes one.", path);
        if (new FileInfo(path).Length > MostBytes)
            throw Broken(path, $"it has more than {MostBytes:N0} bytes");
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path), Reading);
            string? twice = document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1)?.Key
                : throw Broken(path, "it is no JSON object");
            return twice is null ? JsonObject.Create(document.RootElement.Clone())! : throw Broken(path, $"'{twice}' comes twice");
        }
        catch (JsonException e)
        {
            throw Broken(path, string.Create(CultureInfo.InvariantCulture, $"line {e.LineNumber + 1}: {e.Message}"));
        }
    }

    /// <summary>The values of an entry as they stand on a command line.</summary>
    private static IEnumerable<string> Texts(string path, string key, Option option, JsonNode? value) => (value, option.ValueType) switch
    {
        (JsonArray layers, var type) when type == typeof(Compression.LayerOverride[]) => [.. layers.Select(l => LayerText(path, key, l))],
        (JsonArray texts, var type) when type == typeof(string[]) => [.. texts.Select(t => Text(path, key, t))],
        (JsonArray numbers, var type) when type == typeof(float[]) => [string.Join(',', numbers.Select(n => Text(path, key, n)))],
        (JsonValue single, var type) when !type.IsArray && (type == typeof(bool)) == (single.GetValueKind() is JsonValueKind.True or JsonValueKind.False) => [Text(path, key, single)],
        _ => throw Broken(path, $"'{key}' is {value?.ToJsonString() ?? "null"}; {Expected(option)} is expected"),
    };

    private static string LayerText(string path, string key, JsonNode? layer)
    {
        if (layer is JsonObject entry && entry["layer"] is JsonValue pattern && pattern.GetValueKind() == JsonValueKind.String && entry.All(p => p.Key is "layer" or "d" or "k" or "skip"))
        {
            string[] parts = [.. entry.Where(p => p.Key is "d" or "k").Select(p => $"{p.Key}={Text(path, key, p.Value)}"), .. entry["skip"]?.GetValueKind() == JsonValueKind.True ? new[] { "skip" } : []];
            if (parts.Length > 0)
                return $"{pattern.GetValue<string>()}:{string.Join(',', parts)}";
        }
        throw Broken(path, $"an entry of '{key}' is {layer?.ToJsonString() ?? "null"}; expected is {{\"layer\": \"layer1.*\", \"d\": 9, \"k\": 256}} or {{\"layer\": \"fc\", \"skip\": true}}");
    }

    private static string Text(string path, string key, JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
        _ => throw Broken(path, $"'{key}' holds {value?.ToJsonString() ?? "null"}, which cannot stand there"),
    };

    private static string Expected(Option option) => option.ValueType switch
    {
        var type when type == typeof(bool) => "true or false",
        { IsArray: true } => "a list",
        _ => $"a value as after {option.Name}",
    };

    private static InvalidDataException Broken(string path, string problem) => new($"The configuration '{path}' cannot be used: {problem}.");
}
