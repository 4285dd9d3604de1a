using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests;

/// <summary>Scores by Core's session alone, for comparison.</summary>
internal static class ReferenceScores
{
    /// <summary>The softmax of the network's outputs for each image, in double precision.</summary>
    public static float[][] Of(string modelFile, IEnumerable<float[]> pixels)
    {
        ModelGraph graph = ModelFile.Load(modelFile);
        ImagePreprocessing preprocessing = ImagePreprocessing.For(graph);
        using var session = new InferenceSession(graph);
        return [.. pixels.Select(p =>
        {
            var input = new float[preprocessing.Length];
            var output = new float[session.OutputLength];
            new PixelVectorFormat().Apply(p, preprocessing, input);
            session.Run(input, 1, output);
            double[] exp = [.. output.Select(o => Math.Exp(o - output.Max()))];
            return exp.Select(e => (float)(e / exp.Sum())).ToArray();
        })];
    }

    public static void AssertClose(float[] expected, float[] actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i], expected[i] - tolerance, expected[i] + tolerance);
    }
}
