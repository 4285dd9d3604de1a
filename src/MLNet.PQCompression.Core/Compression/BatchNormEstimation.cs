using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>Gives a BatchNorm of the student the mean and variance of the student's own activations.</summary>
internal static class BatchNormEstimation
{
    /// <summary>Whether a node's statistics are its own to change.</summary>
    public static bool Applies(ModelGraph graph, Node node) =>
        node.Operator is BatchNormalization && node.Inputs[3..].All(graph.Initializers.ContainsKey);

    /// <summary>The node's new mean and variance, from the images of all ranks.</summary>
    /// <param name="node">The BatchNorm.</param>
    /// <param name="frontier">Where its inputs are.</param>
    public static IEnumerable<KeyValuePair<string, Initializer>> Estimate(Node node, TwinFrontier frontier)
    {
        int channels = frontier.Student.Initializers[node.Inputs[3]].Shape[0];
        WorkParts parts = frontier.Images.Parts;
        var sums = new PartSums<ArraySums>(parts);
        for (int part = parts.First; part < parts.End; part++)
        {
            ArraySums own = Empty();
            for (int b = 0; b < frontier.Batches; b++)
                if (frontier.Images.Places[b].Part == part)
                    Add(frontier.StudentValue(node.Inputs[0], b), own.Doubles[0], own.Doubles[1], own.Doubles[2]);
            sums.Add(part, own);
        }
        ArraySums total = Empty();
        sums.FinishForAll(total);
        var mean = new float[channels];
        var variance = new float[channels];
        double count = total.Doubles[2][0];
        for (int c = 0; c < channels; c++)
        {
            (double first, double second) = (total.Doubles[0][c] / count, total.Doubles[1][c] / count);
            mean[c] = (float)first;
            variance[c] = (float)Math.Max(0, second - first * first);
        }
        return [new(node.Inputs[3], new DenseTensor(new(channels), mean)), new(node.Inputs[4], new DenseTensor(new(channels), variance))];

        ArraySums Empty() => new([], [new double[channels], new double[channels], new double[1]]);
    }

    private static void Add(Activation batch, double[] sums, double[] squares, double[] count)
    {
        int channels = sums.Length, plane = (int)(batch.Shape.Count / batch.Shape[0] / channels);
        for (int i = 0; i < batch.Shape[0] * channels; i++)
            foreach (float x in batch.Span.Slice(i * plane, plane))
            {
                sums[i % channels] += x;
                squares[i % channels] += (double)x * x;
            }
        count[0] += (long)batch.Shape[0] * plane;
    }
}
