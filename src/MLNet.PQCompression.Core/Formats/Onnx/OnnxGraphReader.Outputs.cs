using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>What is left when all nodes are translated: the nodes and initializers that the outputs need.</content>
internal sealed partial class OnnxGraphReader
{
    private ModelGraph Finish(ValueInfo input)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        ImmutableArray<ValueInfo> outputs = Outputs(input, names);
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names.Keys)
            needed.Add(name);
        bool needsSources = _nodes.Exists(n => n.Operator is Foreign);
        var kept = new List<Node>();
        for (int i = _nodes.Count - 1; i >= 0; i--)
            if (IsNeeded(_nodes[i], needed))
            {
                foreach (string name in _nodes[i].Inputs)
                    needed.Add(name);
                if (needsSources)
                    foreach (string name in _nodes[i].ShapeSources)
                        needed.Add(name);
                kept.Add(Renamed(_nodes[i], names));
            }
        kept.Reverse();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        string? digest = null;
        foreach (EntryMessage entry in model.Metadata)
            if (entry.Key == WeightDigest.MetadataKey)
                digest = entry.Value; // Of this file; a writer makes its own.
            else
                metadata[entry.Key] = entry.Value;
        foreach (string name in new List<string>(_initializers.Keys))
            if (!needed.Contains(name))
                _initializers.Remove(name);
        if (verify && digest is not null)
            WeightDigest.Verify(digest, _initializers);
        _document.Weights = _initializers;
        foreach ((string name, OnnxValue value) in _values)
            if (value is Activation)
                _document.Values[name] = names.GetValueOrDefault(value.Name, value.Name);
        foreach ((string name, string renamed) in names)
            if (name != renamed && _document.Nodes.Remove(name, out int node))
                _document.Nodes[renamed] = node;
        return new(graph.Name, input, outputs, [.. kept], _initializers, metadata, _document);
    }

    private static bool IsNeeded(Node node, HashSet<string> needed)
    {
        foreach (string output in node.FurtherOutputs)
            if (needed.Contains(output))
                return true;
        return needed.Contains(node.Output);
    }

    /// <summary>The outputs; an output that a dropped node renamed takes its name back, which goes into <paramref name="names"/>.</summary>
    private ImmutableArray<ValueInfo> Outputs(ValueInfo input, Dictionary<string, string> names)
    {
        var outputs = new List<ValueInfo>();
        foreach (ValueInfoMessage output in graph.Outputs)
            if (_values.GetValueOrDefault(output.Name) is Activation value && value.Name != input.Name)
                outputs.Add(new(names.TryAdd(value.Name, output.Name) ? output.Name : names[value.Name], value.Shape?.ToShape() ?? Declared(output)));
            else if (!_values.ContainsKey(output.Name))
                throw new InvalidModelException($"no node makes its output '{output.Name}'");
        return outputs.Count > 0 ? [.. outputs] : throw new InvalidModelException($"none of its outputs ({string.Join(", ", graph.Outputs.Select(o => o.Name))}) is computed from its input");
    }

    /// <summary>The shape that the file declares, for values that foreign nodes make; scalar where it declares none.</summary>
    private static TensorShape Declared(ValueInfoMessage output)
    {
        var sizes = new int[output.Dimensions?.Count ?? 0];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = output.Dimensions![i] is > 0 and <= int.MaxValue and var size ? (int)size : -1;
        return new(sizes);
    }

    private static Node Renamed(Node node, Dictionary<string, string> names)
    {
        if (names.Count == 0)
            return node;
        return node with
        {
            Inputs = All(node.Inputs),
            Output = names.GetValueOrDefault(node.Output, node.Output),
            FurtherOutputs = All(node.FurtherOutputs),
            ShapeSources = All(node.ShapeSources),
        };

        ImmutableArray<string> All(ImmutableArray<string> values)
        {
            var renamed = new string[values.Length];
            for (int i = 0; i < renamed.Length; i++)
                renamed[i] = names.GetValueOrDefault(values[i], values[i]);
            return ImmutableCollectionsMarshal.AsImmutableArray(renamed);
        }
    }
}
