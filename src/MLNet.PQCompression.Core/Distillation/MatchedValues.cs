using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>Finds the values at which a student is held to a teacher that gives no scores of classes: a detector, a featurizer, or the part of a network that lies before operators without a kernel here.</summary>
/// <remarks>
/// The ends are the outputs, and what foreign nodes read. From each the way leads back through whatever only moves or stretches values, such as Concat, Transpose, Resize, Sigmoid, Softmax or arithmetic with a
/// constant, to what made them, a layer as a rule. There the values are still linear in the layer's weights, each has a scale of its own, and no sigmoid has flattened the differences.
/// </remarks>
internal static class MatchedValues
{
    /// <summary>The part of a network that can be trained, with the values to match as its outputs; the network's own order of nodes.</summary>
    /// <param name="graph">The network; its nodes may be foreign where others come first.</param>
    /// <exception cref="InvalidModelException">No value can be matched: what the outputs and foreign nodes read depends on no layer, or on foreign nodes alone.</exception>
    public static ModelGraph Part(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return Find(graph).Graph;
    }

    /// <summary>The part, and which of its outputs are scores.</summary>
    internal static MatchedPart Find(ModelGraph graph)
    {
        string entry = Entry(graph);
        Dictionary<string, Node> own = OwnNodes(graph, entry);
        var matched = new List<string>();
        var scores = new HashSet<string>(StringComparer.Ordinal);
        foreach (string end in Ends(graph, own))
            Trace(graph, own, end, isScore: false, [], matched, scores);
        HashSet<string> learned = DependingOnLayers(graph, own);
        matched.RemoveAll(m => !learned.Contains(m));
        return matched.Count > 0 ? new(Restricted(graph, own, entry, [.. matched.Distinct()]), scores) : throw new InvalidModelException(
            $"Model '{graph.Name}' has no value by which a student could learn from its teacher: no convolution or linear layer comes before its outputs and the operators without a kernel here. Leave distillation out (--epochs 0).");
    }

    /// <summary>Where training begins: with the image, or with what the first layer reads where foreign nodes make that of the image. No layer comes before it, so it is the same for teacher and student.</summary>
    private static string Entry(ModelGraph graph)
    {
        Dictionary<string, Node> own = OwnNodes(graph, graph.Input.Name);
        return graph.Nodes.FirstOrDefault(n => IsLayer(graph, n)) is { } first && graph.ProducerOf(first.Inputs[0]) is not null && !own.ContainsKey(first.Inputs[0]) ? first.Inputs[0] : graph.Input.Name;
    }

    private static bool IsLayer(ModelGraph graph, Node node) => node.Operator is Conv or Gemm or MatMul && node.Inputs.Skip(1).Any(graph.Initializers.ContainsKey);

    /// <summary>By their outputs, the nodes that have kernels and read nothing but the entry, constants and what such nodes make.</summary>
    private static Dictionary<string, Node> OwnNodes(ModelGraph graph, string entry)
    {
        var own = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
            if (node.Operator is not Foreign && node.Output != entry && node.Inputs.All(i => i == entry || own.ContainsKey(i) || graph.Initializers.ContainsKey(i)))
                own[node.Output] = node;
        return own;
    }

    /// <summary>The outputs first, then what nodes behind foreign ones and foreign nodes themselves read; not what they ask for its size alone.</summary>
    private static IEnumerable<string> Ends(ModelGraph graph, Dictionary<string, Node> own) =>
        graph.Outputs.Select(o => o.Name).Concat(graph.Nodes.Where(n => !own.ContainsKey(n.Output) && n.Operator is not Foreign { Type: "Shape" or "Size" }).SelectMany(n => n.Inputs)).Where(own.ContainsKey);

    private static void Trace(ModelGraph graph, Dictionary<string, Node> own, string value, bool isScore, HashSet<string> seen, List<string> matched, HashSet<string> scores)
    {
        if (!seen.Add(value) || !own.TryGetValue(value, out Node? node))
            return;
        if (LeavesThrough(graph, node))
        {
            foreach (string input in node.Inputs)
                Trace(graph, own, input, isScore || node.Operator is Unary { Function: UnaryFunction.Sigmoid }, seen, matched, scores);
            return;
        }
        matched.Add(value);
        if (isScore)
            scores.Add(value);
    }

    /// <summary>Whether a node's output says no more than its inputs, so that these are matched instead.</summary>
    private static bool LeavesThrough(ModelGraph graph, Node node) => node.Operator switch
    {
        Unary { Function: UnaryFunction.Sigmoid or UnaryFunction.Tanh or UnaryFunction.Exp or UnaryFunction.Neg or UnaryFunction.Softplus } or HardSigmoid or Softmax or LogSoftmax or Resize => true,
        Binary { Function: BinaryFunction.Add or BinaryFunction.Sub or BinaryFunction.Mul or BinaryFunction.Div } =>
            node.Inputs.Any(graph.Initializers.ContainsKey) && !node.Inputs.Any(i => graph.ProducerOf(i)?.Operator is MatMul or Gemm or Conv), // the bias of a layer belongs to it
        _ => node.Operator.OnlyMoves(),
    };

    private static HashSet<string> DependingOnLayers(ModelGraph graph, Dictionary<string, Node> own)
    {
        var learned = new HashSet<string>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
            if (own.ContainsKey(node.Output) && (IsLayer(graph, node) || node.Inputs.Any(learned.Contains)))
                learned.Add(node.Output);
        return learned;
    }

    private static ModelGraph Restricted(ModelGraph graph, Dictionary<string, Node> own, string entry, List<string> outputs)
    {
        HashSet<string> needed = [.. outputs];
        var kept = new Stack<Node>();
        foreach (Node node in graph.Nodes.Reverse())
            if (needed.Contains(node.Output) && own.ContainsKey(node.Output))
            {
                needed.UnionWith(node.Inputs);
                kept.Push(node);
            }
        ValueInfo input = entry == graph.Input.Name ? graph.Input : new(entry, new(-1, -1, -1, -1));
        return new(graph.Name, input, [.. outputs.Select(o => new ValueInfo(o, default))], [.. kept], graph.Initializers.Where(i => needed.Contains(i.Key)).ToDictionary(StringComparer.Ordinal), graph.Metadata);
    }
}

/// <summary>The part of a network that ends at the values to match.</summary>
/// <param name="Graph">The part, with the values as its outputs.</param>
/// <param name="Scores">Those that a sigmoid makes scores of.</param>
internal sealed record MatchedPart(ModelGraph Graph, IReadOnlySet<string> Scores);
