using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Gives layers a bias of their own where nothing else would absorb the shift that is fitted after quantization: zeros where they have none, a copy where others read theirs too.
/// </summary>
internal static class AddedBiases
{
    /// <summary>Whether a layer gets one.</summary>
    public static bool Applies(ModelGraph graph, string weight) =>
        OutputCorrection.Find(graph, weight) is { Kind: CorrectionKind.None } correction && OnlyBias(correction) is { } bias && (bias.Length == 0 || graph.FindInitializer(bias) is not null);

    /// <summary>The graph with biases for those of the plan's layers that are quantized by their outputs.</summary>
    public static ModelGraph Give(ModelGraph graph, CompressionPlan plan)
    {
        var names = new HashSet<string>(graph.Nodes.SelectMany(n => n.Inputs.Concat(n.Outputs)), StringComparer.Ordinal);
        var added = new Dictionary<string, string>(StringComparer.Ordinal);
        var initializers = new Dictionary<string, Initializer>(graph.Initializers, StringComparer.Ordinal);
        foreach (LayerPlan layer in plan.Layers.Where(l => l.AddsBias))
        {
            string stem = layer.Weight.EndsWith(".weight", StringComparison.Ordinal) ? layer.Weight[..^".weight".Length] : layer.Weight, name = stem + ".bias";
            for (int i = 2; !names.Add(name); i++)
                name = $"{stem}.bias.{i}";
            added.Add(layer.Weight, name);
            string old = OnlyBias(OutputCorrection.Find(graph, layer.Weight))!;
            float[] values = old.Length == 0 ? [0] : graph.Initializers[old].ToDense().ToArray();
            initializers[name] = new DenseTensor(new(layer.Rows), Enumerable.Range(0, layer.Rows).Select(o => values[o % values.Length]).ToArray());
        }
        if (added.Count == 0)
            return graph;
        Node[] nodes = [.. graph.Nodes.Select(n => n.Inputs.Length > 1 && added.TryGetValue(n.Inputs[1], out string? bias) ? n with { Inputs = [.. n.Inputs[..2], bias] } : n)];
        return new(graph.Name, graph.Input, graph.Outputs, [.. nodes], initializers, graph.Metadata, graph.Origin);
    }

    /// <summary>The bias that all readers of a weight read, "" where none has one, null where they have different ones.</summary>
    private static string? OnlyBias(OutputCorrection correction)
    {
        string[] biases = [.. correction.Readers.Select(n => n.Inputs.Length > 2 ? n.Inputs[2] : "").Distinct()];
        return biases.Length == 1 ? biases[0] : null;
    }
}
