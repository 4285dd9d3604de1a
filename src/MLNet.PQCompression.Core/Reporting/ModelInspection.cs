using System.Collections.Immutable;
using System.Diagnostics;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>What a model consists of and, where it is not compressed yet, what would become of it.</summary>
public sealed record ModelInspection
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The shape of the image input, N×C×H×W; -1 where it is not fixed.</summary>
    public required ImmutableArray<int> InputShape { get; init; }

    /// <summary>Whether the model is compressed already; the layers then show what it has, and else what is planned.</summary>
    public required bool Compressed { get; init; }

    /// <summary>Bytes of the parameters in float32, counted as the paper does.</summary>
    public required long DenseBytes { get; init; }

    /// <summary>Bytes of the compressed model as the paper counts; see <see cref="PaperAccounting"/>.</summary>
    public required long PaperBytes { get; init; }

    /// <summary>Bytes of the file that was inspected.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Every convolution and linear layer in the order of the graph.</summary>
    public required IReadOnlyList<LayerSummary> Layers { get; init; }

    /// <summary>The operators that this library has no kernel for, by type with the number of nodes. ONNX Runtime runs them.</summary>
    public required IReadOnlyDictionary<string, int> Foreign { get; init; }

    /// <summary>About how long compression takes on this machine and how much memory; null for a compressed model or where that cannot be told.</summary>
    public CompressionEstimate? Estimate { get; init; }

    /// <summary>The properties kept in the file.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The time it took.</summary>
    public double Seconds { get; init; }

    /// <summary>Inspects a model.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="options">How it would be compressed.</param>
    /// <param name="fileBytes">The size of its file.</param>
    /// <exception cref="ArgumentException">An override in the options matches no layer, or asks for what its layer cannot do.</exception>
    public static ModelInspection Of(ModelGraph graph, CompressionOptions options, long fileBytes)
    {
        ArgumentNullException.ThrowIfNull(graph);
        long start = Stopwatch.GetTimestamp();
        bool compressed = graph.Initializers.Values.Any(i => i is QuantizedTensor);
        graph = LayerForms.Normalize(graph);
        CompressionPlan plan = CompressionPlan.Create(graph, options);
        return new()
        {
            Model = graph.Name,
            InputShape = graph.Input.Shape.Dimensions,
            Compressed = compressed,
            DenseBytes = plan.DenseBytes,
            PaperBytes = compressed ? PaperAccounting.Of(graph).Total : plan.PaperBytes,
            FileBytes = fileBytes,
            Layers = [.. plan.Layers.Select(l => compressed ? LayerSummary.Of(l, graph.Initializers[l.Weight]) : LayerSummary.Of(l))],
            Foreign = new SortedDictionary<string, int>(graph.ForeignNodes.CountBy(n => n.Operator.OnnxName).ToDictionary(), StringComparer.Ordinal),
            Metadata = graph.Metadata,
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
    }
}
