using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>Which graphs can be trained: those whose operators all leave the batch alone.</summary>
internal static class TrainableGraph
{
    /// <summary>Checks a graph; returns how many values its outputs have for an image.</summary>
    /// <exception cref="InvalidModelException">The graph does not take such images.</exception>
    /// <exception cref="UnsupportedOperatorException">An operator cannot be trained.</exception>
    public static int OutputLength(ModelGraph graph, TensorShape imageShape)
    {
        IReadOnlyDictionary<string, TensorShape> two = ShapeInference.Infer(graph, imageShape.With(0, 2)), three = ShapeInference.Infer(graph, imageShape.With(0, 3));
        foreach (Node node in graph.Nodes)
            if (WorksOnBatch(node.Operator) || !HasBatch(two[node.Output], three[node.Output]))
                throw new UnsupportedOperatorException(node.Operator.OnnxName, node.Name, "training takes this operator only where it leaves the batch, dimension 0, alone");
        return checked((int)graph.Outputs.Sum(o => two[o.Name].Count / 2));
    }

    /// <summary>Whether images meet or change places although there are as many as before.</summary>
    private static bool WorksOnBatch(Operator op) => op switch
    {
        Softmax { Axis: 0 } or LogSoftmax { Axis: 0 } or LayerNormalization { Axis: 0 } => true,
        Slice slice => slice.Ranges.Any(r => r.Axis == 0),
        Pad pad => pad.Before[0] != 0,
        _ => false,
    };

    private static bool HasBatch(TensorShape two, TensorShape three) => two.Rank > 0 && two[0] == 2 && three[0] == 3 && two.With(0, 1) == three.With(0, 1);
}
