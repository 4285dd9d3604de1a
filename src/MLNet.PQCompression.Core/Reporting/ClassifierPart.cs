using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>Finds the scores of a classifier in a network that gives more than them: names of the likeliest class, maps from names to probabilities, further outputs.</summary>
public static class ClassifierPart
{
    /// <summary>The network up to its scores, with them as its only output; null where it is none whose scores can be told, or where they need foreign nodes.</summary>
    public static ModelGraph? Find(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (!graph.HasForeignNodes && graph.Outputs.Length == 1)
            return IsVector(graph.Outputs[0].Shape) || OutputKinds.Of(graph) == OutputKind.Classes ? graph : null;
        var foreign = new HashSet<string>(StringComparer.Ordinal);
        var own = new List<Node>();
        foreach (Node node in graph.Nodes)
            if (node.Operator is Foreign || node.Inputs.Any(foreign.Contains))
                foreign.UnionWith(node.Outputs);
            else
                own.Add(node);
        HashSet<string> ends = [.. graph.Outputs.Select(o => o.Name), .. graph.Nodes.Where(n => n.Outputs.Any(foreign.Contains)).SelectMany(n => n.Inputs)];
        Dictionary<string, TensorShape> declared = graph.Outputs.ToDictionary(o => o.Name, o => o.Shape, StringComparer.Ordinal);
        Node[] made = [.. own.Where(n => ends.Contains(n.Output) && ClassScores.MayBeOneRow(declared.GetValueOrDefault(n.Output)))];
        Node[] scores = [.. made.Where(n => n.Operator is Softmax)];
        if (scores.Length == 0)
            scores = [.. made.Where(n => n.Operator is Gemm or MatMul)];
        return scores is [var one] ? Restricted(graph, own, one.Output) : null;
    }

    /// <summary>Whether the network itself shows that its output is scores: it names classes, or a Softmax or a linear layer makes them. A row of numbers that pooling makes may as well be features.</summary>
    public static bool IsCertain(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return OutputKinds.Of(graph) == OutputKind.Classes;
    }

    /// <summary>Whether an image's values are one number for each of several classes.</summary>
    private static bool IsVector(TensorShape shape) => shape.Rank >= 2 && shape[1] > 1 && shape.Dimensions.Skip(2).All(d => d == 1);

    private static ModelGraph Restricted(ModelGraph graph, List<Node> nodes, string output)
    {
        HashSet<string> needed = [output];
        var kept = new Stack<Node>();
        for (int i = nodes.Count - 1; i >= 0; i--)
            if (needed.Contains(nodes[i].Output))
            {
                needed.UnionWith(nodes[i].Inputs);
                kept.Push(nodes[i]);
            }
        ValueInfo scores = graph.Outputs.FirstOrDefault(o => o.Name == output) ?? new(output, default);
        return new(graph.Name, graph.Input, [scores], [.. kept], graph.Initializers.Where(i => needed.Contains(i.Key)).ToDictionary(StringComparer.Ordinal), graph.Metadata);
    }
}
