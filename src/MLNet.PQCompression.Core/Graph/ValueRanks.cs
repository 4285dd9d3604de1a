namespace MLNet.PQCompression.Graph;

/// <summary>How many dimensions values have, as far as the operators alone tell: no image size is needed for that.</summary>
internal static class ValueRanks
{
    /// <summary>The ranks by the values' names; a value that is not in it may have any.</summary>
    public static IReadOnlyDictionary<string, int> Of(ModelGraph graph)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal) { [graph.Input.Name] = graph.Input.Shape.Rank };
        foreach ((string name, Initializer initializer) in graph.Initializers)
            ranks[name] = initializer.Shape.Rank;
        foreach (Node node in graph.Nodes)
            if (Of(node, [.. node.Inputs.Select(i => ranks.TryGetValue(i, out int rank) ? rank : (int?)null)]) is { } rank)
                ranks[node.Output] = rank;
        return ranks;
    }

    private static int? Of(Node node, int?[] inputs) => node.Operator switch
    {
        Foreign => null,
        Gemm or Flatten => 2,
        Conv or ConvTranspose or MaxPool or AveragePool or GlobalAveragePool or GlobalMaxPool or DepthToSpace or SpaceToDepth => 4,
        Reshape reshape => reshape.Shape.Length,
        Transpose transpose => transpose.Permutation.Length,
        Tile tile => tile.Repeats.Length,
        Expand expand => Math.Max(inputs[0] ?? 0, expand.Shape.Length),
        Gather { DropsAxis: true } => inputs[0] - 1,
        Reduce { KeepDimensions: false } reduce => inputs[0] - reduce.Axes.Length,
        Binary or MatMul => inputs.Contains(null) ? null : inputs.Max(),
        _ => inputs[0],
    };
}
