using System.Collections.Concurrent;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference;

/// <summary>
/// Computes a graph one node at a time in the plain layout. It keeps every value in view, which statistics and training need, and is the
/// reference that the compiled session is held to.
/// </summary>
/// <remarks>Safe for use by several threads; product-quantized weights are decoded once and kept.</remarks>
public sealed class NodeEvaluator : INodeEvaluator
{
    private readonly ModelGraph _graph;
    private readonly WorkerPool? _pool;
    private readonly ConcurrentDictionary<string, Activation> _constants = new(StringComparer.Ordinal);

    /// <summary>Creates an evaluator of a graph's nodes.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="pool">The threads to share, or null for the caller's alone.</param>
    public NodeEvaluator(ModelGraph graph, WorkerPool? pool = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        _graph = graph;
        _pool = pool;
    }

    /// <summary>Computes one node.</summary>
    /// <param name="node">A node of the graph.</param>
    /// <param name="values">Gives the value of each input of the node that is not an initializer.</param>
    /// <returns>The node's output. Flatten and Reshape share their input's memory; all others return new memory.</returns>
    /// <exception cref="InvalidModelException">The inputs do not fit the operator.</exception>
    public Activation Evaluate(Node node, Func<string, Activation> values)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(values);
        var inputs = new Activation[node.Inputs.Length];
        var shapes = new TensorShape[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = Constant(node.Inputs[i]) ?? values(node.Inputs[i]);
            shapes[i] = inputs[i].Shape;
        }
        TensorShape shape = ShapeInference.OutputShape(node, shapes);
        if (node.Operator is Flatten or Reshape)
            return inputs[0].WithShape(shape);
        var output = new Activation(shape);
        if (shape.Count > 0) // Of an image in which a detector finds nothing there is nothing to compute.
            Compute(node.Operator, inputs, output, _pool);
        return output;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentNullException.ThrowIfNull(isWanted);
        Dictionary<string, int> readers = nodes.SelectMany(n => n.Inputs.Distinct()).GroupBy(name => name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var made = new Dictionary<string, Activation>(StringComparer.Ordinal);
        var wanted = new Dictionary<string, Activation>(StringComparer.Ordinal);
        foreach (Node node in nodes)
        {
            Activation output = made[node.Output] = Evaluate(node, name => made.TryGetValue(name, out Activation? own) ? own : values(name));
            if (isWanted(node.Output))
                wanted[node.Output] = output;
            foreach (string name in node.Inputs.Distinct())
                if (--readers[name] == 0)
                    made.Remove(name);
        }
        return wanted;
    }

    /// <summary>Does nothing: what it holds is memory.</summary>
    public void Dispose() { }

    /// <summary>Computes the whole graph.</summary>
    /// <param name="input">The images, N×C×H×W.</param>
    /// <param name="visit">Called with each node and its output as soon as it is computed, or null.</param>
    /// <returns>The graph's outputs in order.</returns>
    /// <exception cref="InvalidModelException">The inputs do not fit the graph.</exception>
    public Activation[] EvaluateAll(Activation input, Action<Node, Activation>? visit = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        var readers = _graph.Nodes.SelectMany(n => n.Inputs.Distinct()).Concat(_graph.Outputs.Select(o => o.Name))
            .GroupBy(name => name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var values = new Dictionary<string, Activation>(StringComparer.Ordinal) { [_graph.Input.Name] = input };
        foreach (Node node in _graph.Nodes)
        {
            Activation output = Evaluate(node, name => values[name]);
            values[node.Output] = output;
            visit?.Invoke(node, output);
            foreach (string name in node.Inputs.Distinct())
                if (--readers[name] == 0)
                    values.Remove(name);
        }
        return [.. _graph.Outputs.Select(o => values[o.Name])];
    }

    private Activation? Constant(string name)
    {
        if (_constants.TryGetValue(name, out Activation? constant))
            return constant;
        if (!_graph.Initializers.TryGetValue(name, out Initializer? initializer))
            return null;
        ReadOnlyMemory<float> dense = initializer.ToDense();
        return _constants.GetOrAdd(name, new Activation(initializer.Shape, System.Runtime.InteropServices.MemoryMarshal.AsMemory(dense)));
    }

    /// <summary>Computes an operator whose inputs and output have the shapes that fit it.</summary>
    internal static void Compute(Operator op, Activation[] inputs, Activation output, WorkerPool? pool)
    {
        Activation x = inputs[0];
        switch (op)
        {
            case Conv conv when DepthwiseConvolution.Applies(conv, x.Shape):
                DepthwiseConvolution.Run(conv, x, inputs[1], inputs.ElementAtOrDefault(2), output, pool);
                break;
            case Conv conv:
                Convolution.Run(conv, x, inputs[1], inputs.ElementAtOrDefault(2), output, pool);
                break;
            case BatchNormalization normalization:
                Normalization.Run(normalization, inputs, output, pool);
                break;
            case Gemm gemm:
                MatrixOperators.Run(gemm, x, inputs[1], inputs.ElementAtOrDefault(2), output, pool);
                break;
            case MatMul:
                MatrixOperators.MatMul(x, inputs[1], inputs.ElementAtOrDefault(2), output, pool);
                break;
            case ConvTranspose conv:
                TransposedConvolution.Run(conv, x, inputs[1], inputs.ElementAtOrDefault(2), output, pool);
                break;
            case InstanceNormalization normalization:
                Normalization.Run(normalization, inputs, output, pool);
                break;
            case LayerNormalization normalization:
                Normalization.Run(normalization, inputs, output, pool);
                break;
            case PointwiseOperator:
                Pointwise.Run(op, x, output, pool);
                break;
            case Binary binary:
                Broadcasting.Run(binary.Function, x, inputs[1], output);
                break;
            case Concat concat:
                Rearrangement.Run(concat, inputs, output);
                break;
            case Pad pad:
                Rearrangement.Run(pad, x, output);
                break;
            case Slice slice:
                Rearrangement.Run(slice, x, output);
                break;
            case Transpose transpose:
                Rearrangement.Run(transpose, x, output);
                break;
            case MaxPool maxPool:
                Pooling.Run(maxPool, x, output, pool);
                break;
            case AveragePool averagePool:
                Pooling.Run(averagePool, x, output, pool);
                break;
            case GlobalAveragePool:
                Reduction.Mean([2, 3], x, output);
                break;
            case GlobalMaxPool:
                Reduction.Run(ReduceFunction.Max, [2, 3], x, output);
                break;
            case Reduce reduce:
                Reduction.Run(reduce.Function, [.. reduce.Axes], x, output);
                break;
            case Softmax softmax:
                SoftmaxOperator.Run(softmax.Axis, false, x, output);
                break;
            case LogSoftmax softmax:
                SoftmaxOperator.Run(softmax.Axis, true, x, output);
                break;
            case Flatten or Reshape:
                x.Span.CopyTo(output.Span);
                break;
            case Gather gather:
                Rearrangement.Run(gather, x, output);
                break;
            case Expand or Tile:
                Rearrangement.Repeat(x, output);
                break;
            case DepthToSpace space:
                Rearrangement.Run(space, x, output);
                break;
            case SpaceToDepth depth:
                Rearrangement.Run(depth, x, output);
                break;
            case Resize resize:
                Resampling.Run(resize, x, output, pool);
                break;
            case Lrn lrn:
                LocalResponseNormalization.Run(lrn, x, output);
                break;
            default:
                throw new UnsupportedOperatorException(op.OnnxName, output.Shape.ToString(), "this operator has no kernel");
        }
    }
}
