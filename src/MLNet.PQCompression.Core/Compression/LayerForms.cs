using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>Brings a graph into the form in which its layers are compressed.</summary>
internal static class LayerForms
{
    /// <summary>Whether a node multiplies what it reads by a constant weight that can be cut into blocks.</summary>
    public static bool IsLayer(ModelGraph graph, Node node) =>
        node.Operator is Conv or ConvTranspose or MatMul or Gemm { TransposeA: false, Alpha: 1, Beta: 1 }
        && graph.FindInitializer(node.Inputs[1]) is { Shape.Rank: var rank } && (rank == 2 || node.Operator is Conv or ConvTranspose) && graph.FindInitializer(node.Inputs[0]) is null;

    /// <summary>Linear layers of matrices become Gemm with a weight [C_out, n], and the nodes that read one weight stand together (<see cref="SharedWeights"/>); all else stays as it is.</summary>
    public static ModelGraph Normalize(ModelGraph graph) => SharedWeights.Together(InRows(graph));

    /// <summary>Replaces MatMul and Gemm with a second factor stored [n, C_out], where all that read it are such.</summary>
    private static ModelGraph InRows(ModelGraph graph)
    {
        ILookup<string, Node> readers = graph.Nodes.SelectMany(n => n.Inputs.Distinct().Select(i => (Input: i, Node: n))).ToLookup(r => r.Input, r => r.Node, StringComparer.Ordinal);
        IReadOnlyDictionary<string, int> ranks = graph.Nodes.Any(n => n.Operator is MatMul) ? ValueRanks.Of(graph) : new Dictionary<string, int>();
        bool IsByColumns(Node node) => IsLayer(graph, node) && (node.Operator is Gemm { TransposeB: false } || node.Operator is MatMul && ranks.GetValueOrDefault(node.Inputs[0]) == 2);
        HashSet<string> turned = [.. graph.Nodes.Where(IsByColumns).Select(n => n.Inputs[1]).Distinct().Where(w => readers[w].All(n => IsByColumns(n) && n.Inputs.Count(i => i == w) == 1 && n.Inputs[1] == w))];
        if (turned.Count == 0)
            return graph;
        var initializers = new Dictionary<string, Initializer>(graph.Initializers, StringComparer.Ordinal);
        foreach (string name in turned)
            initializers[name] = initializers[name] is QuantizedTensor { IsTransposed: true } quantized
                ? quantized.Transpose()
                : new DenseTensor(Initializer.Exchanged(initializers[name].Shape), Initializer.Exchange(initializers[name].Values, initializers[name].Shape));
        Node[] nodes = [.. graph.Nodes.Select(n => n.Inputs.Length > 1 && turned.Contains(n.Inputs[1]) ? n with { Operator = new Gemm(TransposeB: true) } : n)];
        return new(graph.Name, graph.Input, graph.Outputs, [.. nodes], initializers, graph.Metadata, graph.Origin);
    }
}
