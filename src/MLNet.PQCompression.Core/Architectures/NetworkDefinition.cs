using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Architectures;

/// <summary>The nodes of a network and the names and shapes of the weights it needs, before it has any.</summary>
internal sealed class NetworkDefinition(string input, TensorShape inputShape)
{
    private readonly ImmutableArray<Node>.Builder _nodes = ImmutableArray.CreateBuilder<Node>();
    private readonly OrderedDictionary<string, TensorShape> _parameters = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ignored = new(StringComparer.Ordinal);

    public string Input { get; } = input;

    public string Output { get; set; } = input;

    /// <summary>The weights it needs and their shapes, in the order of the layers; -1 is the number of classes.</summary>
    public IReadOnlyDictionary<string, TensorShape> Parameters => _parameters;

    /// <summary>Adds a node whose value has its own name.</summary>
    public string Add(string name, Operator operation, params ImmutableArray<string> inputs) => Add(name, name, operation, inputs);

    /// <summary>Adds a node and returns the name of its value.</summary>
    public string Add(string name, string output, Operator operation, params ImmutableArray<string> inputs)
    {
        _nodes.Add(new(name, operation, inputs, output));
        return output;
    }

    /// <summary>Asks for a weight; a dimension of -1 may have any size.</summary>
    public string Parameter(string name, TensorShape shape)
    {
        _parameters.Add(name, shape);
        return name;
    }

    /// <summary>Lets a state dict hold a tensor that the network has no use for.</summary>
    public void Ignore(string name) => _ignored.Add(name);

    /// <summary>What keeps a state dict from being this network's.</summary>
    public Misfit Compare(StateDict state)
    {
        var misfit = new Misfit();
        foreach ((string name, TensorShape expected) in _parameters)
        {
            if (!state.TryGetValue(name, out StateTensor? tensor))
                misfit.Missing.Add(name);
            else if (tensor is not WeightTensor)
                misfit.Wrong.Add($"{name} holds integers");
            else if (!Fits(tensor, expected))
                misfit.Wrong.Add($"{name} is {tensor.Shape} instead of {expected}");
        }
        misfit.Surplus.AddRange(state.Keys.Where(k => !_parameters.ContainsKey(k) && !_ignored.Contains(k)));
        return misfit;
    }

    private static bool Fits(StateTensor tensor, TensorShape expected) =>
        tensor.Shape.Rank == expected.Rank && !expected.Dimensions.Where((d, i) => d >= 0 && d != tensor.Shape[i]).Any() || IsMatrixOf(tensor, expected);

    /// <summary>Whether it is a quantized weight whose file tells the length of its rows but not the kernel's size.</summary>
    private static bool IsMatrixOf(StateTensor tensor, TensorShape expected) => tensor is WeightTensor { Value: QuantizedTensor { Shape.Rank: 2 } } && expected.Rank == 4
        && tensor.Shape[0] == expected[0] && tensor.Shape[1] == (long)expected[1] * expected[2] * expected[3];

    /// <summary>The graph with the state dict's weights, which must fit.</summary>
    public ModelGraph ToGraph(string name, StateDict state)
    {
        var initializers = _parameters.ToDictionary(p => p.Key, p => IsMatrixOf(state[p.Key], p.Value)
            ? ((QuantizedTensor)((WeightTensor)state[p.Key]).Value).WithShape(p.Value)
            : ((WeightTensor)state[p.Key]).Value, StringComparer.Ordinal);
        Node last = _nodes[^1];
        int classes = initializers[last.Inputs[1]].Shape[0];
        if (initializers[last.Inputs[2]].Shape[0] != classes)
            throw new InvalidModelException($"{state.Source}: {last.Inputs[1]} has {classes} rows, but {last.Inputs[2]} is {initializers[last.Inputs[2]].Shape}.");
        return new(name, new(Input, inputShape), [new(Output, new(-1, classes))], _nodes.ToImmutable(), initializers);
    }
}

/// <summary>How a state dict differs from what a network needs.</summary>
internal sealed class Misfit
{
    public List<string> Missing { get; } = [];

    public List<string> Surplus { get; } = [];

    public List<string> Wrong { get; } = [];

    public int Count => Missing.Count + Surplus.Count + Wrong.Count;

    private const int MaxListed = 8;

    /// <summary>The numbers, and the first few of each kind.</summary>
    public override string ToString() => string.Join("; ", new[] { ("missing", Missing), ("surplus", Surplus), ("of another shape", Wrong) }
        .Where(p => p.Item2.Count > 0)
        .Select(p => $"{p.Item2.Count} {p.Item1}: {string.Join(", ", p.Item2.Take(MaxListed))}{(p.Item2.Count > MaxListed ? ", …" : "")}"));
}
