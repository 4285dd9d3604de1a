using System.Collections.Immutable;
using System.Text.Json.Serialization;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>A convolution or linear layer: what it is, and what is planned for it or has become of it.</summary>
public sealed record LayerSummary
{
    /// <summary>The layer's node.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its weight.</summary>
    public required string Weight { get; init; }

    /// <summary>The weight's shape.</summary>
    public required ImmutableArray<int> Shape { get; init; }

    /// <summary>d, or null for a dense layer.</summary>
    public int? BlockSize { get; init; }

    /// <summary>k, or null for a dense layer.</summary>
    public int? Codewords { get; init; }

    /// <summary>Bytes of the weight in float32.</summary>
    public required long DenseBytes { get; init; }

    /// <summary>Bytes of the weight as the paper counts; see <see cref="PaperAccounting"/>.</summary>
    public required long PaperBytes { get; init; }

    /// <summary>Why the layer is as it is.</summary>
    public required string Reason { get; init; }

    /// <summary>The share of the outputs' energy that is error, by the method's own objective; null where nothing was quantized.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RelativeError { get; init; }

    /// <summary>How many of the codewords at least one block uses; null where nothing was quantized.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? UsedCodewords { get; init; }

    /// <summary>The method's objective after each of its steps, relative to the first; null where nothing was quantized.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<double>? Objective { get; init; }

    /// <summary>The time the layer took; null where nothing was done.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Seconds { get; init; }

    internal static LayerSummary Of(LayerPlan plan) => new()
    {
        Name = plan.Node,
        Weight = plan.Weight,
        Shape = plan.Shape.Dimensions,
        BlockSize = plan.IsQuantized ? plan.BlockSize : null,
        Codewords = plan.IsQuantized ? plan.Codewords : null,
        DenseBytes = plan.DenseBytes,
        PaperBytes = plan.PaperBytes,
        Reason = plan.Reason,
    };

    internal static LayerSummary Of(LayerReport report) => Of(report.Plan) with { RelativeError = report.RelativeError, Seconds = report.Seconds };

    /// <summary>The layer of a network that has just been compressed, with what its weight and the search tell.</summary>
    internal static LayerSummary Of(LayerReport report, Initializer weight) => weight is QuantizedTensor q
        ? Of(report) with { UsedCodewords = q.Codes.ToArray().Distinct().Count(), Objective = Relative(report.Objective) }
        : Of(report);

    /// <summary>The layer of a model that is compressed already.</summary>
    internal static LayerSummary Of(LayerPlan plan, Initializer weight) => weight is QuantizedTensor q
        ? Of(plan) with
        {
            BlockSize = q.BlockSize,
            Codewords = q.Codewords,
            PaperBytes = PaperAccounting.CodeBytes(q.Codes.Length, q.Codewords) + 2L * q.Codebook.Length,
            Reason = "quantized",
        }
        : Of(plan) with { BlockSize = null, Codewords = null, PaperBytes = plan.DenseBytes, Reason = "dense" };

    private static ImmutableArray<double> Relative(ImmutableArray<double> objective) =>
        objective is [> 0 and var first, ..] ? [.. objective.Select(o => Math.Round(o / first, 4))] : objective;
}
