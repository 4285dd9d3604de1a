using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>Brings linear layers into one form, Gemm with a weight [C_out, n], whose rows can be cut into blocks.</summary>
internal static class LinearLayers
{
    /// <summary>Replaces MatMul and Gemm with a constant second factor stored [n, C_out]; all else stays as it is.</summary>
    public static ModelGraph Normalize(ModelGraph graph)
    {
        var initializers = new Dictionary<string, Initializer>(graph.Initializers, StringComparer.Ordinal);
        var uses = graph.Nodes.SelectMany(n => n.Inputs).GroupBy(n => n, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        Node[] nodes = [.. graph.Nodes.Select(node =>
        {
            bool isPlain = node.Operator is MatMul or Gemm { Alpha: 1, Beta: 1, TransposeA: false, TransposeB: false };
            if (!isPlain || !initializers.TryGetValue(node.Inputs[1], out Initializer? weight) || weight.Shape.Rank != 2 || uses[node.Inputs[1]] > 1)
                return node;
            initializers[node.Inputs[1]] = Transpose(weight);
            return node with { Operator = new Gemm(TransposeB: true) };
        })];
        return new(graph.Name, graph.Input, graph.Outputs, [.. nodes], initializers, graph.Metadata, graph.Origin);
    }

    private static DenseTensor Transpose(Initializer weight)
    {
        (int rows, int columns) = (weight.Shape[0], weight.Shape[1]);
        ReadOnlySpan<float> source = weight.ToDense().Span;
        var target = new float[source.Length];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                target[j * rows + i] = source[i * columns + j];
        return new(new(columns, rows), target);
    }
}
