using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>What the frontier of activations takes, worked out from shapes before anything is run.</summary>
internal static class FrontierMemory
{
    /// <summary>Bytes for each image at the worst layer: what is alive in both networks there, and the layer's outputs and their targets.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="plan">The layers at which the frontier stops.</param>
    /// <param name="height">Rows of the images.</param>
    /// <param name="width">Columns of the images.</param>
    public static long BytesPerImage(ModelGraph graph, CompressionPlan plan, int height, int width)
    {
        IReadOnlyDictionary<string, TensorShape> shapes = ShapeInference.Infer(graph, new(1, graph.Input.Shape[1], height, width));
        Dictionary<string, int> readers = graph.Nodes.SelectMany(n => n.Inputs.Distinct()).GroupBy(n => n, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        HashSet<string> stops = [.. plan.Layers.Where(l => l.IsQuantized).Select(l => l.Node)];
        long alive = shapes[graph.Input.Name].Count, worst = alive;
        foreach (Node node in graph.Nodes)
        {
            if (stops.Contains(node.Name))
                worst = Math.Max(worst, 2 * alive + 2 * shapes[node.Output].Count);
            alive += readers.ContainsKey(node.Output) ? shapes[node.Output].Count : 0;
            foreach (string name in node.Inputs.Distinct().Where(n => !graph.Initializers.ContainsKey(n)))
                if (--readers[name] == 0)
                    alive -= shapes[name].Count;
        }
        return worst * sizeof(float);
    }
}
