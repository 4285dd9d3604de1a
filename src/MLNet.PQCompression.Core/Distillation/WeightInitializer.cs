using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>Weights to start training from.</summary>
public static class WeightInitializer
{
    /// <summary>
    /// The same network with fresh weights: convolutions normal with variance 2/(C_out/group·kh·kw) (He et al., 2015), linear layers uniform within ±1/√inputs,
    /// BatchNormalization the identity, biases zero.
    /// </summary>
    /// <param name="graph">The network; its weights do not matter.</param>
    /// <param name="seed">The seed.</param>
    public static ModelGraph Initialize(ModelGraph graph, int seed)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var changes = new Dictionary<string, Initializer>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
            for (int i = 1; i < node.Inputs.Length; i++)
            {
                if (!graph.Initializers.TryGetValue(node.Inputs[i], out Initializer? old))
                    continue;
                Random random = SeedSequence.At(seed, changes.Count);
                Func<float>? draw = (node.Operator, i) switch
                {
                    (Conv conv, 1) => Normal(random, Math.Sqrt(2.0 / (old.Shape[0] / conv.Group * old.Shape[2] * old.Shape[3]))),
                    (Gemm gemm, 1) => Uniform(random, 1 / Math.Sqrt(old.Shape[gemm.TransposeB ? 1 : 0])),
                    (MatMul, 1) => Uniform(random, 1 / Math.Sqrt(old.Shape[0])),
                    (BatchNormalization, 1 or 4) => () => 1,
                    (Conv or Gemm or BatchNormalization, _) => () => 0,
                    _ => null,
                };
                if (draw is not null)
                    changes.TryAdd(node.Inputs[i], new DenseTensor(old.Shape, Fill(old.Shape.Count, draw)));
            }
        return graph.WithInitializers(changes);
    }

    private static float[] Fill(long count, Func<float> draw)
    {
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = draw();
        return values;
    }

    private static Func<float> Uniform(Random random, double bound) => () => (float)((random.NextDouble() * 2 - 1) * bound);

    // Box and Muller's transform.
    private static Func<float> Normal(Random random, double deviation) =>
        () => (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
