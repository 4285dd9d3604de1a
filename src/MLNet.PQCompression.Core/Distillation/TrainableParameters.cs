using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>Which initializers of a graph can be trained.</summary>
public static class TrainableParameters
{
    /// <summary>The quantized weights, whose codebooks are trained.</summary>
    public static ImmutableSortedSet<string> Codebooks(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Initializers.Where(i => i.Value is QuantizedTensor).Select(i => i.Key).ToImmutableSortedSet(StringComparer.Ordinal);
    }

    /// <summary>Every weight and bias of convolutions and linear layers and every scale and bias of BatchNormalization, quantized or not; no running statistics.</summary>
    public static ImmutableSortedSet<string> All(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        IEnumerable<string> inputs = graph.Nodes.SelectMany(n => n.Operator switch
        {
            Conv or Gemm or MatMul => n.Inputs.Skip(1),
            BatchNormalization => n.Inputs.Skip(1).Take(2),
            _ => [],
        });
        return inputs.Where(graph.Initializers.ContainsKey).ToImmutableSortedSet(StringComparer.Ordinal);
    }
}
