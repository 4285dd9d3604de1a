using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>Tells linear layers inside a network from its classifier, whose rows are classes.</summary>
internal static class HiddenLayers
{
    /// <summary>Whether a linear layer stands before another one, with nothing but functions and other shapes in between.</summary>
    public static bool IsHidden(ModelGraph graph, Node layer)
    {
        var open = new Stack<string>([layer.Output]);
        var seen = new HashSet<string>(open, StringComparer.Ordinal);
        while (open.TryPop(out string? value))
            foreach (Node reader in graph.Nodes.Where(n => n.Inputs.Contains(value)))
                if (reader.Operator is Gemm or MatMul)
                    return true;
                else if (IsPassed(reader.Operator) && seen.Add(reader.Output))
                    open.Push(reader.Output);
        return false;
    }

    private static bool IsPassed(Operator op) =>
        op is PointwiseOperator or BatchNormalization or Binary or Flatten or Reshape or Foreign { Type: "Flatten" or "Reshape" or "Squeeze" or "Cast" };
}
