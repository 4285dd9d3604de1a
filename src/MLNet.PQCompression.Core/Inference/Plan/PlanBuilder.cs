using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Compiles a graph into steps.</summary>
/// <remarks>
/// Steps are first collected as recipes, because the border of a value, and with it every address, is known only when all of its readers are.
/// </remarks>
internal sealed partial class PlanBuilder<TTile, TVector>
    where TTile : struct, IPixelTile
    where TVector : struct, IFloatVector<TVector>
{
    private readonly ModelGraph _graph;
    private readonly TensorShape _inputShape;
    private readonly ConvolutionAlgorithm _algorithm;
    private readonly MemoryBound _bound;
    private readonly Dictionary<string, ValueInfo> _shapes;
    private readonly Dictionary<string, List<Node>> _readers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _fused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlanValue?[]> _values = new(StringComparer.Ordinal); // By layout.
    private readonly List<Func<Step>> _recipes = [];
    private readonly Dictionary<string, ChannelMap> _maps = new(StringComparer.Ordinal); // Of values that are made when a step needs them.
    private readonly ValueInfo[] _outputs;
    private readonly List<Node> _nodes;
    private readonly WeightStore _weights = new();

    /// <summary>Prepares to compile a graph.</summary>
    /// <exception cref="InvalidModelException">The graph does not fit the size.</exception>
    public PlanBuilder(ModelGraph graph, PlanKey key, MemoryBound bound)
    {
        (_algorithm, _graph, _inputShape, _bound) = (key.Algorithm, graph, key.InputShape, bound);
        _shapes = ShapeInference.Values(graph, new(1, _inputShape[0], _inputShape[1], _inputShape[2]));
        _outputs = key.Outputs.Length == 0 ? graph.Outputs.AsSpan().ToArray() : Array.ConvertAll(key.Outputs.Split('\n'), name => graph.Outputs.First(o => o.Name == name));
        _nodes = Needed();
        foreach (Node node in _nodes)
            foreach (string name in node.Inputs)
                if (!_readers.TryGetValue(name, out List<Node>? readers))
                    _readers.Add(name, new() { node });
                else if (!ReferenceEquals(readers[^1], node))
                    readers.Add(node);
        SpellFunctions();
    }

    /// <summary>Compiles.</summary>
    public CompiledPlan Build()
    {
        foreach (Node node in _nodes)
            if (!_fused.Contains(node.Name))
                Add(node);
        var outputs = new PlanOutput[_outputs.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            (string name, int index) = (_outputs[i].Name, i);
            PlanValue output = Made(name)!;
            outputs[i] = new(name, ShapeOf(name));
            _recipes.Add(() => new RelayoutStep(name, output, index));
        }
        foreach (PlanValue?[] layouts in _values.Values) // All borders are known, and nothing is allocated yet.
            foreach (PlanValue? value in layouts)
                if (value is not null)
                    _bound.Check(value);
        var steps = new Step[_recipes.Count];
        for (int i = 0; i < steps.Length; i++)
            steps[i] = _recipes[i]();
        _weights.Fill();
        return new(_inputShape, outputs, steps);
    }

    /// <summary>The nodes that the outputs need, in their order.</summary>
    private List<Node> Needed()
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (ValueInfo output in _outputs)
            needed.Add(output.Name);
        var nodes = new List<Node>();
        for (int i = _graph.Nodes.Length - 1; i >= 0; i--)
            if (needed.Contains(_graph.Nodes[i].Output))
            {
                nodes.Add(_graph.Nodes[i]);
                foreach (string name in _graph.Nodes[i].Inputs)
                    needed.Add(name);
            }
        nodes.Reverse();
        return nodes;
    }

    private void Add(Node node)
    {
        bool planned = node.Operator switch
        {
            Conv conv => TryAdd(node, conv),
            Gemm or MatMul => TryAddLinear(node),
            BatchNormalization => TryAddNormalization(node),
            PointwiseOperator => TryAddFunction(node),
            Binary binary => TryAdd(node, binary),
            MaxPool or AveragePool or GlobalAveragePool or GlobalMaxPool or Reduce => TryAddPool(node),
            Resize resize => TryAddResize(node, resize),
            Concat or Slice or Gather when TryMap(node) => true,
            Concat or Pad or Slice => TryAddPlacement(node),
            Reshape when TryShuffle(node) => true,
            Flatten or Reshape => TryAddView(node),
            _ => false,
        };
        if (!planned)
            AddOperator(node);
    }

    /// <summary>Puts one node in the place of those that spell a function.</summary>
    private void SpellFunctions()
    {
        var idioms = new FunctionIdioms(_graph, _readers, IsOutput);
        var gone = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < _nodes.Count; i++)
            if (idioms.EndingIn(_nodes[i]) is var (function, input, nodes) && ShapeOf(input) == ShapeOf(_nodes[i].Output) && !nodes.Any(n => gone.Contains(n)))
            {
                var whole = new Node(_nodes[i].Name, function, [input], _nodes[i].Output);
                List<Node> readers = _readers[input];
                readers.RemoveAll(n => nodes.Contains(n));
                readers.Add(whole);
                gone.UnionWith(nodes);
                _nodes[i] = whole;
            }
        _nodes.RemoveAll(n => gone.Contains(n));
    }
}
