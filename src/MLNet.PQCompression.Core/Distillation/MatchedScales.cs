using System.Collections.Immutable;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>How much the squared difference of each matched value counts: one over the teacher's variance of its channel, so that every matched value has the same say, and every channel in it.</summary>
/// <remarks>
/// Channels are dimension 1 of images, else the last. A channel counts as if it had a tenth of the mean variance of its value at least: what hardly varies would else outweigh the rest.
/// </remarks>
internal static class MatchedScales
{
    private const int Examined = 64;
    private const double LeastShare = 0.1;

    /// <summary>Measures the teacher on some of the images, spread over the set.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="shapes">The shapes of its outputs for one image, in order.</param>
    /// <param name="set">The images.</param>
    /// <param name="share">The ranks, which all get what the first has measured.</param>
    /// <param name="cancellationToken">Ends the measuring.</param>
    /// <returns>One factor for each value of an image; the weighted squares of a student that gives the teacher's means add up to about 1.</returns>
    public static float[] Measure(ITrainingModel teacher, ImmutableArray<TensorShape> shapes, TrainingSet set, BatchShare share, CancellationToken cancellationToken)
    {
        int count = Math.Min(Examined, set.Count), length = teacher.OutputLength;
        (int Channels, int Inner, int Start)[] values = Layout(shapes);
        double[][] sums = [.. values.Select(v => new double[v.Channels])], squares = [.. values.Select(v => new double[v.Channels])];
        var outputs = new float[length];
        for (int n = 0; n < count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            teacher.Evaluate(set.Image((int)((long)n * set.Count / count)).ToArray(), 1, outputs);
            for (int v = 0; v < values.Length; v++)
                for (int i = 0; i < shapes[v].Count; i++)
                {
                    double x = outputs[values[v].Start + i];
                    int channel = i / values[v].Inner % values[v].Channels;
                    sums[v][channel] += x;
                    squares[v][channel] += x * x;
                }
        }
        var factors = new float[length];
        for (int v = 0; v < values.Length; v++)
        {
            double each = (double)count * shapes[v].Count / values[v].Channels;
            double[] variances = [.. squares[v].Select((s, c) => Math.Max(0, s / each - sums[v][c] / each * (sums[v][c] / each)))];
            double least = Math.Max(1e-12, LeastShare * variances.Average());
            for (int i = 0; i < shapes[v].Count; i++)
                factors[values[v].Start + i] = (float)(1 / (Math.Max(least, variances[i / values[v].Inner % values[v].Channels]) * shapes[v].Count * values.Length));
        }
        share.Parts.Ranks.Broadcast(MemoryMarshal.AsBytes(factors.AsSpan()), 0);
        return factors;
    }

    /// <summary>Of each output the channels, the distance of neighbours along them, and where it begins among the values of an image.</summary>
    private static (int Channels, int Inner, int Start)[] Layout(ImmutableArray<TensorShape> shapes)
    {
        int start = 0;
        return [.. shapes.Select(s =>
        {
            int channels = s.Rank == 4 ? s[1] : s[s.Rank - 1], inner = s.Rank == 4 ? s[2] * s[3] : 1, first = start;
            start += (int)s.Count;
            return (channels, inner, first);
        })];
    }
}
