using MLNet.PQCompression.Formats.Onnx.Schema;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>The names in a document's graph: what is read where, what nothing reads, and shorter names for what nothing outside sees.</summary>
internal sealed class DocumentNames
{
    private readonly GraphProto _graph;
    private HashSet<string>? _all;

    public DocumentNames(GraphProto graph)
    {
        _graph = graph;
        foreach (NodeProto node in graph.Node)
            CollectInner(node);
    }

    /// <summary>All names that graphs inside nodes mention. They keep what they mean, so nothing outside may take or lose them.</summary>
    public HashSet<string> Inner { get; } = new(StringComparer.Ordinal);

    /// <summary>Drops the nodes and initializers that no output needs, and inputs that were there for such initializers.</summary>
    public void DropUnread()
    {
        HashSet<string> needed = [.. _graph.Output.Select(o => o.Name)], initializers = [.. _graph.Initializer.Select(t => t.Name)];
        var kept = new Stack<NodeProto>();
        for (int i = _graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = _graph.Node[i];
            if (!node.Output.Any(needed.Contains))
                continue;
            needed.UnionWith(node.Input);
            CollectNames(node, needed);
            kept.Push(node);
        }
        _graph.Node.Clear();
        _graph.Node.AddRange(kept);
        Keep(_graph.Initializer, t => needed.Contains(t.Name));
        Keep(_graph.Input, i => !initializers.Contains(i.Name) || needed.Contains(i.Name));
    }

    /// <summary>Every name in use.</summary>
    public HashSet<string> All() =>
    [
        .. _graph.Input.Select(i => i.Name), .. _graph.Output.Select(o => o.Name), .. _graph.Initializer.Select(t => t.Name), .. _graph.Node.SelectMany(n => n.Output), .. Inner,
    ];

    /// <summary>A name like another that nothing has.</summary>
    public string FreeLike(string name)
    {
        _all ??= All();
        string free = name + ".product";
        for (int i = 2; !_all.Add(free); i++)
            free = $"{name}.product.{i}";
        return free;
    }

    /// <summary>Every name in use that must stay.</summary>
    /// <param name="weights">Names of weights, which stay where a Constant node makes them.</param>
    public HashSet<string> Fixed(IReadOnlyCollection<string> weights) =>
    [
        .. _graph.Input.Select(i => i.Name), .. _graph.Output.Select(o => o.Name), .. _graph.Initializer.Select(t => t.Name), .. Inner, .. _graph.Node.SelectMany(n => n.Output).Intersect(weights),
    ];

    /// <summary>Renames all values that need not stay.</summary>
    public void Shorten(HashSet<string> kept, Func<string> newName)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (NodeProto node in _graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
                node.Input[i] = names.GetValueOrDefault(node.Input[i], node.Input[i]);
            for (int i = 0; i < node.Output.Count; i++)
                if (node.Output[i].Length > 0 && !kept.Contains(node.Output[i]))
                    node.Output[i] = names[node.Output[i]] = newName();
        }
        foreach (ValueInfoProto value in _graph.ValueInfo)
            value.Name = names.GetValueOrDefault(value.Name, value.Name);
    }

    /// <summary>All names that a node reads, and those that graphs inside it mention.</summary>
    public static HashSet<string> ReadsOf(NodeProto node)
    {
        HashSet<string> names = [.. node.Input];
        CollectNames(node, names);
        return names;
    }

    /// <summary>Keeps what a condition holds for.</summary>
    public static void Keep<T>(Google.Protobuf.Collections.RepeatedField<T> items, Predicate<T> condition)
    {
        T[] kept = [.. items.Where(i => condition(i))];
        items.Clear();
        items.AddRange(kept);
    }

    private void CollectInner(NodeProto node) => CollectNames(node, Inner);

    private static void CollectNames(NodeProto node, HashSet<string> names)
    {
        foreach (AttributeProto attribute in node.Attribute)
            foreach (GraphProto graph in attribute.G is null ? attribute.Graphs : [attribute.G, .. attribute.Graphs])
            {
                names.UnionWith([.. graph.Input.Select(i => i.Name), .. graph.Output.Select(o => o.Name), .. graph.Initializer.Select(t => t.Name)]);
                foreach (NodeProto inner in graph.Node)
                {
                    names.UnionWith(inner.Input);
                    names.UnionWith(inner.Output);
                    CollectNames(inner, names);
                }
            }
    }
}
