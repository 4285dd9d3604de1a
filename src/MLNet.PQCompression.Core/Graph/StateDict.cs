using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace MLNet.PQCompression.Graph;

/// <summary>Named tensors in file order: a model's weights without its structure.</summary>
public sealed class StateDict : IReadOnlyDictionary<string, StateTensor>
{
    private readonly OrderedDictionary<string, StateTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Collects tensors.</summary>
    /// <param name="source">The file they come from, for messages.</param>
    /// <param name="tensors">The tensors, in the order to keep.</param>
    /// <exception cref="InvalidModelException">A name comes twice.</exception>
    public StateDict(string source, IEnumerable<KeyValuePair<string, StateTensor>> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Source = source;
        foreach ((string name, StateTensor tensor) in tensors)
            if (!_tensors.TryAdd(name, tensor))
                throw new InvalidModelException($"{source}: the tensor '{name}' comes twice.");
    }

    /// <summary>The file the tensors come from, for messages.</summary>
    public string Source { get; }

    /// <inheritdoc/>
    public int Count => _tensors.Count;

    /// <summary>The names, in file order.</summary>
    public IEnumerable<string> Keys => _tensors.Keys;

    /// <summary>The tensors, in file order.</summary>
    public IEnumerable<StateTensor> Values => _tensors.Values;

    /// <inheritdoc/>
    public StateTensor this[string key] => _tensors[key];

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _tensors.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StateTensor value) => _tensors.TryGetValue(key, out value);

    /// <summary>The tensors in file order.</summary>
    public IEnumerator<KeyValuePair<string, StateTensor>> GetEnumerator() => _tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The weights of a graph under the names of a PyTorch state dict, quantized ones decoded.</summary>
    /// <remarks>
    /// A BatchNormalization whose scale is called <c>X.weight</c> has its statistics under <c>X.running_mean</c> and <c>X.running_var</c>,
    /// and the variance is shifted so that PyTorch's default ε = 1e-5 gives the graph's result.
    /// </remarks>
    public static StateDict FromGraph(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        const string Suffix = ".weight";
        const float TorchEpsilon = 1e-5f;
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new List<KeyValuePair<string, StateTensor>>();
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (!graph.Initializers.TryGetValue(node.Inputs[i], out Initializer? value))
                    continue;
                string name = node.Inputs[i];
                if (node.Operator is BatchNormalization norm && i >= 3 && node.Inputs[1].EndsWith(Suffix, StringComparison.Ordinal))
                {
                    name = node.Inputs[1][..^Suffix.Length] + (i == 3 ? ".running_mean" : ".running_var");
                    float shift = i == 3 ? 0 : norm.Epsilon - TorchEpsilon;
                    if (shift != 0)
                        value = new DenseTensor(value.Shape, value.ToDense().ToArray().Select(v => v + shift).ToArray());
                }
                if (names.Add(name))
                    tensors.Add(new(name, new WeightTensor(value as DenseTensor ?? new DenseTensor(value.Shape, value.ToDense()))));
            }
        return new(graph.Name, tensors);
    }
}
