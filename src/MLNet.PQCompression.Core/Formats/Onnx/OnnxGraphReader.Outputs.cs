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
        var kept = new List<Node>();
        for (int i = _nodes.Count - 1; i >= 0; i--)
            if (needed.Contains(_nodes[i].Output))
            {
                foreach (string name in _nodes[i].Inputs)
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
        return new(graph.Name, input, outputs, [.. kept], _initializers, metadata);
    }

    /// <summary>The outputs; an output that a dropped node renamed takes its name back, which goes into <paramref name="names"/>.</summary>
    private ImmutableArray<ValueInfo> Outputs(ValueInfo input, Dictionary<string, string> names)
    {
        var outputs = new ValueInfo[graph.Outputs.Count];
        for (int i = 0; i < outputs.Length; i++)
        {
            string name = graph.Outputs[i].Name;
            if (_values.GetValueOrDefault(name) is not Activation value || value.Name == input.Name)
                throw new InvalidModelException($"its output '{name}' is not computed from its input");
            outputs[i] = new(names.TryAdd(value.Name, name) ? name : names[value.Name], value.Shape?.ToShape() ?? default);
        }
        return ImmutableCollectionsMarshal.AsImmutableArray(outputs);
    }

    private static Node Renamed(Node node, Dictionary<string, string> names)
    {
        var inputs = new string[node.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
            inputs[i] = names.GetValueOrDefault(node.Inputs[i], node.Inputs[i]);
        return new(node.Name, node.Operator, ImmutableCollectionsMarshal.AsImmutableArray(inputs), names.GetValueOrDefault(node.Output, node.Output));
    }
}
