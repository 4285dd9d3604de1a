using System.Collections.Immutable;
using MLNet.PQCompression.Distillation.Managed.Operations;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>Chooses an operation for each node, fusing BatchNormalization, an addition after it and a ReLU after that.</summary>
internal sealed class ProgramBuilder
{
    private readonly ModelGraph _graph;
    private readonly IReadOnlyDictionary<string, Parameter> _parameters;
    private readonly IReadOnlyDictionary<string, TensorShape> _shapes;
    private readonly Dictionary<string, ValueSlot> _slots = new(StringComparer.Ordinal);
    private readonly ILookup<string, Node> _consumers;
    private readonly HashSet<string> _outputs;
    private readonly HashSet<Node> _fused = [];

    /// <summary>Prepares a graph.</summary>
    public ProgramBuilder(ModelGraph graph, TensorShape inputShape, IReadOnlyDictionary<string, Parameter> parameters)
    {
        _graph = graph;
        _parameters = parameters;
        _shapes = ShapeInference.Infer(graph, inputShape);
        _consumers = graph.Nodes.SelectMany(n => n.Inputs, (n, i) => (Node: n, Input: i)).ToLookup(p => p.Input, p => p.Node, StringComparer.Ordinal);
        _outputs = [.. graph.Outputs.Select(o => o.Name)];
    }

    /// <summary>The slot of an activation.</summary>
    public ValueSlot Slot(string name)
    {
        if (!_slots.TryGetValue(name, out ValueSlot? slot))
            _slots[name] = slot = new(name, new(_shapes[name]));
        return slot;
    }

    /// <summary>The operations in an order that respects the nodes'.</summary>
    /// <exception cref="UnsupportedOperatorException">A node has a form that cannot be trained.</exception>
    public TrainingOperation[] Build()
    {
        var at = new Dictionary<Node, TrainingOperation>();
        foreach (Node node in _graph.Nodes)
            if (node.Operator is BatchNormalization batchNormalization && Chain(node) is var chain)
            {
                at[chain.Last] = Normalize(node, batchNormalization, chain.Residual, chain.Last, chain.Relu);
                _fused.UnionWith(chain.Nodes);
            }
        foreach (Node node in _graph.Nodes)
            if (!_fused.Contains(node))
                at[node] = Create(node);
        return [.. _graph.Nodes.Where(at.ContainsKey).Select(n => at[n])];
    }

    // The addition and ReLU that alone read a BatchNormalization's output. An addition already taken by its other side is left to that.
    private (List<Node> Nodes, string? Residual, Node Last, bool Relu) Chain(Node node)
    {
        List<Node> nodes = [node];
        string? residual = null;
        if (OnlyReader(node) is { Operator: Binary { Function: BinaryFunction.Add } } add && !_fused.Contains(add))
        {
            string other = add.Inputs[0] == node.Output ? add.Inputs[1] : add.Inputs[0];
            if (other != node.Output && !_parameters.ContainsKey(other) && _shapes[other] == _shapes[node.Output])
            {
                residual = other;
                nodes.Add(add);
            }
        }
        bool relu = OnlyReader(nodes[^1]) is { Operator: Unary { Function: UnaryFunction.Relu } };
        if (relu)
            nodes.Add(OnlyReader(nodes[^1])!);
        return (nodes, residual, nodes[^1], relu);
    }

    private Node? OnlyReader(Node node) =>
        !_outputs.Contains(node.Output) && _consumers[node.Output].ToList() is [var reader] ? reader : null;

    private BatchNormalizationOperation Normalize(Node node, BatchNormalization operation, string? residual, Node last, bool relu)
    {
        ValueSlot input = Slot(node.Inputs[0]);
        if (!input.Layout.IsImage)
            throw Unsupported(node, $"training takes N×C×H×W here, not {input.Layout.Shape}");
        ImmutableArray<ValueSlot> inputs = residual is null ? [input] : [input, Slot(residual)];
        return new(operation, inputs, Constants(node, 1), Slot(last.Output), relu);
    }

    private TrainingOperation Create(Node node)
    {
        ValueSlot output = Slot(node.Output);
        if (node.Operator is Binary binary)
            return new BinaryOperation(binary.Function, Operand(node.Inputs[0]), Operand(node.Inputs[1]), output);
        if (_parameters.ContainsKey(node.Inputs[0]))
            throw Unsupported(node, "its first input is a constant");
        ValueSlot input = Slot(node.Inputs[0]);
        switch (node.Operator)
        {
            case Conv conv:
                bool depthwise = conv.Group > 1 && conv.Group == input.Layout.Channels && conv.Group == output.Layout.Channels;
                return depthwise ? new DepthwiseOperation(conv, input, Constants(node, 1), output) : new ConvolutionOperation(conv, input, Constants(node, 1), output);
            case Gemm { TransposeA: false } gemm:
                return new LinearOperation(gemm.TransposeB, gemm.Alpha, gemm.Beta, input, Constants(node, 1), output);
            case MatMul when input.Layout.Shape.Rank == 2:
                return new LinearOperation(false, 1, 1, input, Constants(node, 1), output);
            case MaxPool pool:
                return new MaxPoolOperation(pool.Window, input, output);
            case AveragePool pool:
                return new AveragePoolOperation(pool.Window, pool.CountIncludePad, input, output);
            case GlobalAveragePool:
                return new AveragePoolOperation(new(input.Layout.Height, input.Layout.Width), false, input, output);
            case GlobalMaxPool:
                return new MaxPoolOperation(new(input.Layout.Height, input.Layout.Width), input, output);
            case Reduce { Function: ReduceFunction.Mean } mean when !mean.Axes.Contains(0):
                return new ReduceMeanOperation(mean.Axes, mean.KeepDimensions, input, output);
            case Softmax softmax when softmax.Axis > 0:
                return new SoftmaxOperation(softmax.Axis, input, output);
            case Lrn lrn:
                return new LrnOperation(lrn, input, output);
            case Resize resize when ResampleOperation.TryCreate(resize, input, output) is { } resample:
                return resample;
        }
        return PointwiseFunctions.TryCreate(node.Operator, input, output)
            ?? (TrainingOperation?)RearrangeOperation.TryCreate(node, [.. node.Inputs.Select(i => Operand(i).Value ?? throw Unsupported(node, $"its input '{i}' is a constant"))], output)
            ?? throw Unsupported(node, "training takes this operator only where it leaves the batch, dimension 0, alone");
    }

    private Operand Operand(string name) => _parameters.TryGetValue(name, out Parameter? parameter) ? new(null, parameter) : new(Slot(name), null);

    private ImmutableArray<Parameter> Constants(Node node, int first) =>
        [.. node.Inputs.Skip(first).Select(i => Operand(i).Parameter ?? throw Unsupported(node, $"training needs its input '{i}' to be a constant"))];

    private static UnsupportedOperatorException Unsupported(Node node, string reason) => new(node.Operator.OnnxName, node.Name, reason);
}
