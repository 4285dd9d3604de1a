using MLNet.PQCompression.Graph;
using MLNet.PQCompression.TorchSharp.Evaluation;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>Which graphs can be trained: those whose operators all have counterparts with gradients and leave the batch alone.</summary>
internal static class TrainableGraph
{
    /// <summary>Checks a graph; returns the values of one output.</summary>
    /// <exception cref="InvalidModelException">The graph does not take such images, or has several outputs.</exception>
    /// <exception cref="UnsupportedOperatorException">An operator cannot be trained.</exception>
    public static int OutputLength(ModelGraph graph, TensorShape imageShape)
    {
        string output = graph.OutputName;
        IReadOnlyDictionary<string, TensorShape> two = ShapeInference.Infer(graph, imageShape.With(0, 2)), three = ShapeInference.Infer(graph, imageShape.With(0, 3));
        foreach (Node node in graph.Nodes)
        {
            if (!TorchOperators.Has(node.Operator))
                throw new UnsupportedOperatorException(node.Operator.OnnxName, node.Name, "the torch backend evaluates this operator but cannot train through it; the managed backend may");
            if (node.Operator is Softmax { Axis: 0 } || !LeavesBatch(two[node.Output], three[node.Output]))
                throw new UnsupportedOperatorException(node.Operator.OnnxName, node.Name, "training takes this operator only where it leaves the batch, dimension 0, alone");
        }
        return checked((int)(two[output].Count / 2));
    }

    private static bool LeavesBatch(TensorShape two, TensorShape three) => two.Rank > 0 && two[0] == 2 && three[0] == 3 && two.With(0, 1) == three.With(0, 1);
}
