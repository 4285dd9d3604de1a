using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Reporting;

/// <summary>Where a compressed model comes from, kept in its file. It holds no time of day, so that equal work gives equal files.</summary>
public sealed record Provenance
{
    /// <summary>The key of a model file's metadata under which it is kept.</summary>
    public const string MetadataKey = "pq.provenance";

    /// <summary>This library's version, without what a preview adds, so that the file does not change from build to build.</summary>
    public required string Version { get; init; }

    /// <summary>SHA-256 of the teacher's file in lower-case hexadecimal, or null where there was none.</summary>
    public string? Teacher { get; init; }

    /// <summary>What was minimised.</summary>
    public required CompressionMethod Method { get; init; }

    /// <summary>The block sizes that were asked for; each layer's own are in the model.</summary>
    public required BlockRegime Blocks { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>The images that the statistics were taken from.</summary>
    public required int Images { get; init; }

    /// <summary>Steps of distillation after each layer; null without distillation.</summary>
    public int? LayerSteps { get; init; }

    /// <summary>Epochs of distillation at the end; null without distillation.</summary>
    public int? Epochs { get; init; }

    /// <summary>The relative output error of each layer that was quantized, in order, to four decimals, before any distillation.</summary>
    public required ImmutableArray<double> Errors { get; init; }

    /// <summary>The provenance of a compression.</summary>
    /// <param name="report">What was done.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="teacherSha256">SHA-256 of the teacher's file, or null.</param>
    public static Provenance Of(CompressionReport report, CompressionOptions options, string? teacherSha256 = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(options);
        return new()
        {
            Version = typeof(Provenance).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('-', '+')[0],
            Teacher = teacherSha256,
            Method = options.Method,
            Blocks = options.Blocks,
            Seed = options.Seed,
            Images = report.Images,
            LayerSteps = options.Distillation?.LayerSteps,
            Epochs = options.Distillation?.Epochs,
            Errors = [.. report.Layers.Select(l => l.RelativeError).OfType<double>().Select(e => Math.Round(e, 4))],
        };
    }

    /// <summary>The entry that keeps it in a model file.</summary>
    public KeyValuePair<string, string> ToMetadata() => new(MetadataKey, JsonSerializer.Serialize(this, CompactJsonContext.Default.Provenance));

    /// <summary>Reads it from a model file's metadata; null where there is none.</summary>
    /// <exception cref="FormatException">The entry is broken.</exception>
    public static Provenance? FromMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (!metadata.TryGetValue(MetadataKey, out string? text))
            return null;
        try
        {
            return JsonSerializer.Deserialize(text, CompactJsonContext.Default.Provenance);
        }
        catch (JsonException e)
        {
            throw new FormatException($"The metadata entry '{MetadataKey}' is broken: {e.Message}", e);
        }
    }
}
