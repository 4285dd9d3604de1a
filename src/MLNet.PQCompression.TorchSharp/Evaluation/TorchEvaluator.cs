using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Evaluates stretches of nodes on a device: named values go there, wanted ones come back.</summary>
internal sealed class TorchEvaluator(ModelGraph graph, Device device, DeviceMemory memory) : INodeEvaluator
{
    private readonly DeviceConstants _constants = new(graph, device);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(isWanted);
        HashSet<string> made = [.. nodes.Select(n => n.Output)];
        Dictionary<string, Activation> read = nodes.SelectMany(n => n.Inputs).Distinct().Where(name => !made.Contains(name) && !graph.Initializers.ContainsKey(name))
            .ToDictionary(name => name, values, StringComparer.Ordinal);
        if (read.Count == 0)
            return Evaluate(nodes, [], isWanted, 0, 0);
        int count = read.Values.First().Shape[0];
        if (read.FirstOrDefault(r => r.Value.Shape.Rank == 0 || r.Value.Shape[0] != count) is { Key: { } name })
            throw new InvalidModelException($"Value '{name}' is {read[name].Shape}, where the other values of the batch are of {count} images.");
        var parts = new List<Dictionary<string, Activation>>();
        memory.InParts("evaluating", count, size =>
        {
            parts.Clear();
            for (int first = 0; first < count; first += size)
                parts.Add(Evaluate(nodes, read, isWanted, first, Math.Min(size, count - first)));
        });
        return parts is [var all] ? all : parts[0].Keys.ToDictionary(key => key, key => Join([.. parts.Select(p => p[key])]), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => _constants.Dispose();

    private Dictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Dictionary<string, Activation> read, Func<string, bool> isWanted, int first, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        Tensor Value(string name)
        {
            if (_constants.Find(name) is { } constant)
                return constant;
            if (inputs.TryGetValue(name, out Tensor? value))
                return value;
            TensorShape shape = read[name].Shape.With(0, count);
            int length = (int)(shape.Count / count);
            return inputs[name] = HostMemory.Upload<float>(read[name].Span.Slice(first * length, count * length), TorchOperators.Longs(shape), device);
        }

        return StretchRunner.Run(nodes, Value, OperatorMode.Evaluation, isWanted)
            .ToDictionary(w => w.Key, w => new Activation(TorchOperators.ShapeOf(w.Value), w.Value.Download()), StringComparer.Ordinal);
    }

    private static Activation Join(Activation[] parts)
    {
        var joined = new Activation(parts[0].Shape.With(0, parts.Sum(p => p.Shape[0])));
        int position = 0;
        foreach (Activation part in parts)
        {
            part.Span.CopyTo(joined.Span[position..]);
            position += part.Span.Length;
        }
        return joined;
    }
}
