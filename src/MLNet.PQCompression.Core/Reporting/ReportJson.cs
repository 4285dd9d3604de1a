using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Reporting;

/// <summary>Reports as indented JSON objects with camel-case names.</summary>
public static class ReportJson
{
    /// <summary>The evaluation as JSON.</summary>
    public static string ToJson(this EvaluationReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.EvaluationReport);

    /// <summary>The evaluation of a detector as JSON.</summary>
    public static string ToJson(this DetectionReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.DetectionReport);

    /// <summary>The inspection as JSON.</summary>
    public static string ToJson(this ModelInspection inspection) => JsonSerializer.Serialize(inspection, ReportJsonContext.Default.ModelInspection);

    /// <summary>The compression as JSON.</summary>
    public static string ToJson(this CompressionSummary summary) => JsonSerializer.Serialize(summary, ReportJsonContext.Default.CompressionSummary);

    /// <summary>The whole report of a compression as JSON.</summary>
    public static string ToJson(this CompressionDocument document) => JsonSerializer.Serialize(document, ReportJsonContext.Default.CompressionDocument);

    /// <summary>The JSON schema of <see cref="ToJson(CompressionDocument)"/>, made from the types that are written.</summary>
    public static string CompressionDocumentSchema()
    {
        JsonNode schema = ReportJsonContext.Default.Options.GetJsonSchemaAsNode(typeof(CompressionDocument), new() { TreatNullObliviousAsNonNullable = true });
        schema.AsObject().Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.AsObject().Insert(1, "title", "mlnet-pq compression report");
        return schema.ToJsonString(ReportJsonContext.Default.Options);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(OutputKindConverter), typeof(OverlapConverter)])]
[JsonSerializable(typeof(CompressionDocument))]
[JsonSerializable(typeof(DetectionReport))]
[JsonSerializable(typeof(EvaluationReport))]
[JsonSerializable(typeof(ModelInspection))]
[JsonSerializable(typeof(CompressionSummary))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Provenance))]
internal sealed partial class CompactJsonContext : JsonSerializerContext;

/// <summary>Writes what was compared in lower case.</summary>
internal sealed class OverlapConverter() : JsonStringEnumConverter<OverlapOf>(JsonNamingPolicy.CamelCase);

/// <summary>Writes what an output is in lower case.</summary>
public sealed class OutputKindConverter() : JsonStringEnumConverter<OutputKind>(JsonNamingPolicy.CamelCase);
