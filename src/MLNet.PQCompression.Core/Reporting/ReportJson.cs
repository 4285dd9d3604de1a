using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLNet.PQCompression.Reporting;

/// <summary>Reports as indented JSON objects with camel-case names.</summary>
public static class ReportJson
{
    /// <summary>The evaluation as JSON.</summary>
    public static string ToJson(this EvaluationReport report) => JsonSerializer.Serialize(report, ReportJsonContext.Default.EvaluationReport);

    /// <summary>The inspection as JSON.</summary>
    public static string ToJson(this ModelInspection inspection) => JsonSerializer.Serialize(inspection, ReportJsonContext.Default.ModelInspection);

    /// <summary>The compression as JSON.</summary>
    public static string ToJson(this CompressionSummary summary) => JsonSerializer.Serialize(summary, ReportJsonContext.Default.CompressionSummary);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EvaluationReport))]
[JsonSerializable(typeof(ModelInspection))]
[JsonSerializable(typeof(CompressionSummary))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Provenance))]
internal sealed partial class CompactJsonContext : JsonSerializerContext;
