using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>Gives a BatchNorm of the student the mean and variance of the student's own activations.</summary>
internal static class BatchNormEstimation
{
    /// <summary>Whether a node's statistics are its own to change.</summary>
    public static bool Applies(ModelGraph graph, Node node) =>
        node.Operator is BatchNormalization && node.Inputs[3..].All(graph.Initializers.ContainsKey);

    /// <summary>The node's new mean and variance.</summary>
    /// <param name="node">The BatchNorm.</param>
    /// <param name="inputs">Its inputs, batch by batch.</param>
    public static IEnumerable<KeyValuePair<string, Initializer>> Estimate(Node node, IEnumerable<Activation> inputs)
    {
        double[] sums = [], squares = [];
        int channels = 0;
        long count = 0;
        foreach (Activation batch in inputs)
        {
            if (channels == 0)
                (channels, sums, squares) = (batch.Shape[1], new double[batch.Shape[1]], new double[batch.Shape[1]]);
            int plane = (int)(batch.Shape.Count / batch.Shape[0] / channels);
            for (int i = 0; i < batch.Shape[0] * channels; i++)
                foreach (float x in batch.Span.Slice(i * plane, plane))
                {
                    sums[i % channels] += x;
                    squares[i % channels] += (double)x * x;
                }
            count += (long)batch.Shape[0] * plane;
        }
        var mean = new float[channels];
        var variance = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            mean[c] = (float)(sums[c] / count);
            variance[c] = (float)Math.Max(0, squares[c] / count - sums[c] / count * (sums[c] / count));
        }
        return [new(node.Inputs[3], new DenseTensor(new(channels), mean)), new(node.Inputs[4], new DenseTensor(new(channels), variance))];
    }
}
