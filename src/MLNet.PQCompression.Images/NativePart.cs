using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>The part of a network that this library runs by itself, for a look at what a network makes of its pictures: up to its output, or else up to the last value that no foreign node is needed for.</summary>
internal static class NativePart
{
    /// <summary>A network with one output and no foreign node.</summary>
    /// <exception cref="InvalidModelException">The first node is foreign.</exception>
    public static ModelGraph Of(ModelGraph model)
    {
        if (model.Outputs.Length == 1 && !model.Nodes.Any(n => n.Operator is Foreign))
            return model;
        var native = new HashSet<string>(StringComparer.Ordinal) { model.Input.Name };
        string? last = null;
        foreach (Node node in model.Nodes)
            if (node.Operator is not Foreign && node.Inputs.All(i => native.Contains(i) || model.Initializers.ContainsKey(i)))
            {
                native.Add(node.Output);
                last = node.Output;
            }
        last = model.Outputs.Select(o => o.Name).FirstOrDefault(o => native.Contains(o) && o != model.Input.Name) ?? last
            ?? throw new InvalidModelException($"Model '{model.Name}' begins with {model.Nodes[0]}, which has no kernel here.");
        return Up(model, last);
    }

    private static ModelGraph Up(ModelGraph model, string output)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal) { output };
        var nodes = new List<Node>();
        foreach (Node node in model.Nodes.Reverse())
            if (needed.Contains(node.Output))
            {
                nodes.Add(node);
                needed.UnionWith(node.Inputs);
            }
        nodes.Reverse();
        ImmutableArray<ValueInfo> outputs = [model.Outputs.FirstOrDefault(o => o.Name == output) ?? new(output, new TensorShape())];
        return new(model.Name, model.Input, outputs, [.. nodes], model.Initializers.Where(i => needed.Contains(i.Key)).ToDictionary(i => i.Key, i => i.Value, StringComparer.Ordinal), model.Metadata);
    }
}
