using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Formats;

/// <summary>Runs a graph by the reference evaluator and compares logits.</summary>
internal static class Logits
{
    /// <summary>The largest difference allowed, as a part of the largest magnitude.</summary>
    public const double Tolerance = 1e-4;

    public static float[] Run(ModelGraph graph, NpyFile input) => Run(graph, input.Floats(), input.Shape);

    public static float[] Run(ModelGraph graph, float[] input, int[] shape) =>
        new NodeEvaluator(graph).EvaluateAll(new(new TensorShape(shape), input))[0].Span.ToArray();

    /// <summary>The largest difference as a part of the largest expected magnitude.</summary>
    public static double Difference(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]));
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs(expected[i] - actual[i]));
        }
        return difference / largest;
    }
}
