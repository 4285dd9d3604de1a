using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>What the graphs inside a node (If, Loop, Scan) read of the graph around them.</summary>
internal static class SubgraphReads
{
    private const int MaxDepth = 32;

    /// <summary>Adds the outer names that a node's subgraphs read.</summary>
    /// <exception cref="InvalidModelException">They are nested too deeply.</exception>
    /// <exception cref="InvalidDataException">They are malformed.</exception>
    public static void Collect(NodeMessage node, HashSet<string> names) => Collect(node, names, [], 0);

    private static void Collect(NodeMessage node, HashSet<string> names, List<HashSet<string>> scopes, int depth)
    {
        foreach (AttributeMessage attribute in node.Attributes)
            foreach (ReadOnlyMemory<byte> bytes in attribute.Graphs ?? [])
                Collect(new GraphMessage(bytes), names, scopes, depth + 1);
    }

    private static void Collect(GraphMessage graph, HashSet<string> names, List<HashSet<string>> scopes, int depth)
    {
        if (depth > MaxDepth)
            throw new InvalidModelException($"graphs are nested more than {MaxDepth} deep");
        HashSet<string> own = [.. graph.Initializers.Select(t => t.Name), .. graph.Inputs.Select(i => i.Name)];
        scopes.Add(own);
        foreach (NodeMessage node in graph.Nodes)
        {
            foreach (string input in node.Inputs)
                Read(input);
            Collect(node, names, scopes, depth);
            own.UnionWith(node.Outputs);
        }
        foreach (ValueInfoMessage output in graph.Outputs)
            Read(output.Name);
        scopes.RemoveAt(scopes.Count - 1);

        void Read(string name)
        {
            if (name.Length > 0 && !scopes.Any(s => s.Contains(name)))
                names.Add(name);
        }
    }
}
