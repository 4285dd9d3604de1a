using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Inference.Operators;

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
            Concat or Slice or Gather when TryMap(node) => true,
            Concat or Pad or Slice => TryAddPlacement(node),
            Reshape when TryShuffle(node) => true,
            Flatten or Reshape => TryAddView(node),
            _ => false,
        };
        if (!planned)
            AddOperator(node);
    }

    private TensorShape ShapeOf(string name) => _shapes[name].Shape;

    /// <summary>Whether a value can be blocked: an image, or a matrix with the batch as rows, and not a constant.</summary>
    private bool CanBlock(string name) => _graph.FindInitializer(name) is null && ShapeOf(name) is { Rank: 4 or 2 } shape && shape[0] == 1;

    private PlanValue? FindAny(string name) =>
        Find(name, ValueLayout.Blocked) ?? Find(name, ValueLayout.Planes) ?? Find(name, ValueLayout.Flat);

    private PlanValue? Find(string name, ValueLayout layout) => _values.TryGetValue(name, out PlanValue?[]? values) ? values[(int)layout] : null;

    private void Set(string name, ValueLayout layout, PlanValue value)
    {
        if (!_values.TryGetValue(name, out PlanValue?[]? values))
            _values.Add(name, values = new PlanValue?[3]);
        values[(int)layout] = value;
    }

    /// <summary>The value in a layout; a step that rearranges it is added where only another layout exists.</summary>
    private PlanValue Require(string name, ValueLayout layout)
    {
        if (Find(name, layout) is { } known)
            return known;
        PlanValue? source = Made(name);
        if (Find(name, layout) is { } made)
            return made;
        PlanValue value = Make(name, layout);
        _recipes.Add(() => new RelayoutStep(name, source, value));
        return value;
    }

    /// <summary>The one place where a value of the plan gets its size.</summary>
    private PlanValue Make(string name, ValueLayout layout)
    {
        TensorShape s = ShapeOf(name);
        bool image = s.Rank == 4 && s[0] == 1, row = s.Rank == 2 && s[0] == 1;
        var value = new PlanValue(name, layout, image || row ? s[1] : checked((int)s.Count), image ? s[2] : 1, image ? s[3] : 1);
        Set(name, layout, value);
        return value;
    }

    /// <summary>The value in some layout; one that is known by its channels only is put together.</summary>
    private PlanValue? Made(string name)
    {
        if (FindAny(name) is { } known || !_maps.TryGetValue(name, out ChannelMap? map))
            return FindAny(name);
        if (map.Whole is { } whole)
        {
            Set(name, ValueLayout.Blocked, whole);
            return whole;
        }
        PlanValue value = Make(name, ValueLayout.Blocked);
        _recipes.Add(() => new ChannelStep(name, map, value));
        return value;
    }

    /// <summary>The channels of a value that is there or known by its channels.</summary>
    private ChannelMap MapOf(string name) => FindAny(name) is null && _maps.TryGetValue(name, out ChannelMap? map) ? map : ChannelMap.Of(Require(name, ValueLayout.Blocked));

    /// <summary>Takes Concat, Slice and Gather of whole channels as what they are: other orders of channels that exist.</summary>
    private bool TryMap(Node node)
    {
        if (!IsBlockedShape(ShapeOf(node.Output)) || ShapeOf(node.Output).Rank != 4 || node.Inputs.Any(name => !CanBlock(name) || ShapeOf(name).Rank != 4))
            return false;
        int channels = ShapeOf(node.Inputs[0])[1];
        switch (node.Operator)
        {
            case Concat { Axis: 1 }:
                _maps[node.Output] = new([.. node.Inputs.SelectMany(name => MapOf(name).Channels)]);
                return true;
            case Slice { Ranges: [{ Axis: 1 } range] }:
                (int start, int count) = ShapeInference.Resolve(range, channels);
                _maps[node.Output] = MapOf(node.Inputs[0]).Pick(Enumerable.Range(0, count).Select(i => start + i * range.Step));
                return true;
            case Gather { Axis: 1, DropsAxis: false } gather:
                _maps[node.Output] = MapOf(node.Inputs[0]).Pick(gather.Indices.Select(i => i < 0 ? i + channels : i));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Takes a channel shuffle, three nodes, as another order of channels.</summary>
    private bool TryShuffle(Node split)
    {
        if (!CanBlock(split.Inputs[0]) || OnlyReader(split.Output) is not { Operator: Transpose transpose } turn || OnlyReader(turn.Output) is not { Operator: Reshape } join)
            return false;
        TensorShape image = ShapeOf(split.Inputs[0]);
        int groups = ChannelMap.Groups(image, ShapeOf(split.Output), transpose, ShapeOf(join.Output));
        if (groups == 0)
            return false;
        int each = image[1] / groups;
        _maps[join.Output] = MapOf(split.Inputs[0]).Pick(Enumerable.Range(0, image[1]).Select(c => c % groups * each + c / groups));
        _fused.Add(turn.Name);
        _fused.Add(join.Name);
        return true;
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

    private void AddOperator(Node node)
    {
        var operands = node.Inputs.Select(name => (
            Value: _graph.FindInitializer(name) is not null ? null : Require(name, ValueLayout.Flat),
            Constant: _graph.FindInitializer(name) is { } i ? new Activation(i.Shape, i.ToDense().ToArray()) : null,
            Shape: ShapeOf(name))).ToArray();
        PlanValue output = Make(node.Output, ValueLayout.Flat);
        _recipes.Add(() => new OperatorStep(node, operands, output, ShapeOf(node.Output)));
    }

    private bool TryAddNormalization(Node node)
    {
        if (!CanBlock(node.Inputs[0]))
            return false;
        (float[] scale, float[] bias) = Fold(node, (BatchNormalization)node.Operator);
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked);
        Operator? function = FunctionAfter(node, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        _recipes.Add(() => new PointwiseStep(node.Name, x, y, scale, bias, function));
        return true;
    }

    private bool TryAddFunction(Node node)
    {
        if (!CanBlock(node.Inputs[0]))
            return false;
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked), y = Make(node.Output, ValueLayout.Blocked);
        _recipes.Add(() => new PointwiseStep(node.Name, x, y, null, null, node.Operator));
        return true;
    }

    private bool TryAdd(Node node, Binary binary)
    {
        if (!CombineStep.Supports(binary.Function) || !IsBlockedShape(ShapeOf(node.Output))
            || IsOperand(node, 0) is not { } first || IsOperand(node, 1) is not { } second || first is CombineSide.Constant && second is CombineSide.Constant)
            return false;
        CombineOperand a = Operand(node, 0, first), b = Operand(node, 1, second);
        Operator? function = FunctionAfter(node, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        _recipes.Add(() => new CombineStep(node.Name, binary.Function, a, b, y, function is null ? null : PlaneFunction.Of(function)));
        return true;
    }

    private enum CombineSide
    {
        Value,
        Constant,
    }

    private static bool IsBlockedShape(TensorShape shape) => shape is { Rank: 4 or 2 } && shape[0] == 1;

    /// <summary>What an operand is to the blocked kernel, or null: a value of the output's channels and its pixels or one, or a constant for each channel.</summary>
    private CombineSide? IsOperand(Node node, int input)
    {
        TensorShape own = ShapeOf(node.Inputs[input]), output = ShapeOf(node.Output);
        if (_graph.FindInitializer(node.Inputs[input]) is null)
            return own.Rank == output.Rank && own[0] == 1 && own[1] == output[1] && (own == output || own.Rank == 4 && own[2] * own[3] == 1) ? CombineSide.Value : null;
        // [1, C, 1, 1], [C, 1, 1], [1, C], [C] or a single number.
        int axis = own.Rank - output.Rank + 1;
        bool perChannel = axis >= 0 && axis < own.Rank && own.Count == own[axis] && own[axis] == output[1];
        return own.Count == 1 || perChannel ? CombineSide.Constant : null;
    }

    private CombineOperand Operand(Node node, int input, CombineSide side)
    {
        if (side == CombineSide.Value)
            return new(Require(node.Inputs[input], ValueLayout.Blocked), null);
        int channels = ShapeOf(node.Output)[1];
        ReadOnlySpan<float> given = _graph.FindInitializer(node.Inputs[input])!.Values;
        var values = new float[(channels + PlanValue.Block - 1) / PlanValue.Block * PlanValue.Block];
        for (int c = 0; c < channels; c++)
            values[c] = given[given.Length == 1 ? 0 : c];
        return new(null, values);
    }

    private bool TryAddPool(Node node)
    {
        if (!CanBlock(node.Inputs[0]) || ShapeOf(node.Inputs[0]).Rank != 4 || node.Operator is Reduce reduce && !(reduce.Function is ReduceFunction.Mean or ReduceFunction.Max && reduce.Axes.Order().SequenceEqual([2, 3])))
            return false;
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked), y = Make(node.Output, ValueLayout.Blocked);
        _recipes.Add(node.Operator switch
        {
            MaxPool pool => () => new PoolStep(node.Name, pool, x, y),
            AveragePool pool => () => new PoolStep(node.Name, pool, x, y),
            _ => () => new GlobalPoolStep(node.Name, node.Operator is GlobalMaxPool or Reduce { Function: ReduceFunction.Max }, x, y),
        });
        return true;
    }

    private bool TryAddPlacement(Node node)
    {
        if (node.Inputs.Any(name => !CanBlock(name) || ShapeOf(name).Rank != 4) || !PlacesWholeImages(node.Operator))
            return false;
        PlanValue[] inputs = [.. node.Inputs.Select(name => Require(name, ValueLayout.Blocked))];
        PlanValue y = Make(node.Output, ValueLayout.Blocked);
        Placement[] placements = [.. Placements(node.Operator, inputs)];
        float fill = node.Operator is Pad pad ? pad.Value : 0;
        _recipes.Add(() => new PlacementStep(node.Name, y, placements, fill));
        return true;
    }

    private static bool PlacesWholeImages(Operator op) => op switch
    {
        Concat concat => concat.Axis == 1,
        Pad pad => pad.Mode == PadMode.Constant && pad.Before[0] == 0 && pad.After[0] == 0,
        Slice slice => slice.Ranges.All(r => r is { Axis: 2 or 3, Step: > 0 } or { Axis: 1, Step: 1 }),
        _ => false,
    };

    private static IEnumerable<Placement> Placements(Operator op, PlanValue[] inputs)
    {
        switch (op)
        {
            case Pad pad:
                yield return new(inputs[0], pad.Before[1], -pad.Before[2], -pad.Before[3]);
                break;
            case Slice slice:
                SliceRange Range(int axis) => slice.Ranges.LastOrDefault(r => r.Axis == axis, new(axis, 0, int.MaxValue));
                int Start(int axis, int size) => ShapeInference.Resolve(Range(axis), size).Start;
                PlanValue x = inputs[0];
                yield return new(x, -Start(1, x.Channels), Start(2, x.Height), Start(3, x.Width), Range(2).Step, Range(3).Step);
                break;
            default:
                int channel = 0;
                foreach (PlanValue input in inputs)
                {
                    yield return new(input, channel);
                    channel += input.Channels;
                }
                break;
        }
    }

    private bool TryAddView(Node node)
    {
        string input = node.Inputs[0];
        if (_graph.FindInitializer(input) is not null)
            return false;
        TensorShape from = ShapeOf(input), to = ShapeOf(node.Output);
        bool samePixels = CanBlock(input) && from.Rank == 4 && from[2] * from[3] == 1 && to is { Rank: 2 } && to[0] == 1 && to[1] == from[1];
        if (samePixels)
        {
            // A copy, because the image may get a border for other readers, and the pixels of a matrix lie one after the other.
            PlanValue image = Require(input, ValueLayout.Blocked), matrix = Make(node.Output, ValueLayout.Blocked);
            _recipes.Add(() => new RelayoutStep(node.Name, image, matrix));
            return true;
        }
        Set(node.Output, ValueLayout.Flat, Require(input, ValueLayout.Flat));
        return true;
    }

    private (float[] Scale, float[] Bias) Fold(Node node, BatchNormalization op)
    {
        return Normalization.Fold(op.Epsilon, Constant(1), Constant(2), Constant(3), Constant(4));

        ReadOnlySpan<float> Constant(int input) => _graph.FindInitializer(node.Inputs[input]) is { } i
            ? i.Values
            : throw new UnsupportedOperatorException(op.OnnxName, node.Name, $"its parameter '{node.Inputs[input]}' must be an initializer");
    }
}
