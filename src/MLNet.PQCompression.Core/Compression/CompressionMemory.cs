using System.Numerics;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>What a compression takes, worked out from shapes before anything is run.</summary>
internal static class CompressionMemory
{
    /// <summary>The images, views included, whose activations fit beside each layer's statistics; <see cref="CompressionOptions.MaxImages"/> at most.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="plan">The layers at which the frontier stops.</param>
    /// <param name="options">The method, and the bytes that may be taken.</param>
    /// <param name="height">Rows of the images.</param>
    /// <param name="width">Columns of the images.</param>
    /// <exception cref="ArgumentException">A layer's statistics alone take more.</exception>
    /// <param name="shapes">The shapes of all values for one image, or null to infer them.</param>
    public static int ImagesThatFit(ModelGraph graph, CompressionPlan plan, CompressionOptions options, int height, int width, IReadOnlyDictionary<string, TensorShape>? shapes = null)
    {
        long most = options.MaxImages;
        foreach ((LayerPlan layer, long perImage) in BytesPerImage(graph, plan, options.Method, height, width, shapes))
        {
            LayerGeometry geometry = layer.GeometryOf(graph.Nodes.First(n => n.Name == layer.Node).Operator);
            long statistics = StatisticsBytes(geometry, options.Method, options.Collective is not null);
            if (statistics > options.MaxActivationBytes)
                throw new ArgumentException(
                    FormattableString.Invariant($"Layer '{layer.Weight}' of {layer.Shape} needs {Gibibytes(statistics)} GiB for its statistics, and {Gibibytes(options.MaxActivationBytes)} may be taken; allow more, skip the layer, or use another method."),
                    nameof(options));
            most = Math.Min(most, (options.MaxActivationBytes - statistics) / Math.Max(1, perImage));
        }
        return (int)Math.Max(1, most);
    }

    /// <summary>Bytes for each image when a layer is quantized: what is alive in both networks there and, of the output method, the teacher's outputs; all float16.</summary>
    public static IEnumerable<(LayerPlan Layer, long Bytes)> BytesPerImage(ModelGraph graph, CompressionPlan plan, CompressionMethod method, int height, int width, IReadOnlyDictionary<string, TensorShape>? shapes = null)
    {
        shapes ??= ShapeInference.Infer(graph, new(1, graph.Input.Shape[1], height, width));
        Dictionary<string, int> readers = graph.Nodes.SelectMany(graph.ReadsOf).GroupBy(n => n, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        Dictionary<string, LayerPlan> stops = plan.Layers.Where(l => l.IsQuantized).ToDictionary(l => l.Node, StringComparer.Ordinal);
        Dictionary<string, Node> nodes = graph.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        long alive = shapes[graph.Input.Name].Count;
        foreach (Node node in graph.Nodes)
        {
            if (stops.TryGetValue(node.Name, out LayerPlan? layer))
                yield return (layer, sizeof(ushort) * (2 * alive + (method == CompressionMethod.Output ? layer.Readers.Sum(r => Values(nodes[r].Output)) : 0)));
            alive += node.Outputs.Where(readers.ContainsKey).Sum(Values);
            foreach (string name in graph.ReadsOf(node).Where(n => !graph.Initializers.ContainsKey(n)))
                if (--readers[name] == 0)
                    alive -= Values(name);
        }

        long Values(string name) => shapes.TryGetValue(name, out TensorShape shape) ? shape.Count : 0;
    }

    /// <summary>Bytes of a layer's statistics and search: H of both halves and two matrices of its size to solve with; of the weight some ten forms.</summary>
    /// <remarks>Of shared work the sums of a branch of each level of the tree of parts, which a rank that is alone holds.</remarks>
    internal static long StatisticsBytes(LayerGeometry geometry, CompressionMethod method, bool isShared = false)
    {
        long square = (long)geometry.RowLength * geometry.RowLength, weight = (long)geometry.Rows * geometry.RowLength;
        if (method != CompressionMethod.Output)
            return sizeof(float) * 10 * weight;
        long branches = isShared ? 1 + BitOperations.Log2(WorkParts.Shared) : 1;
        return sizeof(float) * Math.Max(10 * weight + 2 * (geometry.Groups + 1L) * square, 2 * branches * (geometry.Groups * square + weight));
    }

    private static string Gibibytes(long bytes) => FormattableString.Invariant($"{bytes / (double)(1 << 30):0.##}");
}
