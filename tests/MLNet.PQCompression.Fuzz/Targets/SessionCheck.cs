using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>Compiles a model, scores two small images, and holds the result to the plain evaluator's.</summary>
internal static class SessionCheck
{
    private const long MostOperations = 2_000_000, MostMemory = 8 << 20;

    /// <summary>Whether the model was small enough to be run.</summary>
    public static bool Run(ModelGraph graph)
    {
        TensorShape image = ImageSize.Of(graph);
        if (graph.Outputs.Length != 1 || ImageSize.Operations(graph, new(2, image[0], image[1], image[2])) > MostOperations)
            return false;
        using var session = new InferenceSession(graph, new() { Threads = 1, InputShape = image, MaxMemoryBytes = MostMemory });
        float[] images = new float[2 * image.Count], scores = new float[2 * session.OutputLength];
        for (int i = 0; i < images.Length; i++)
            images[i] = (i * 37 % 64 - 31) / 32f;
        session.Run(images, 2, scores);
        var plain = new NodeEvaluator(graph);
        float[] together = plain.EvaluateAll(new(new(2, image[0], image[1], image[2]), images))[0].Span.ToArray();
        if (together.Length != scores.Length) // What does not depend on the image, or mixes images, has another size for two.
            together = [.. Alone(0), .. Alone(1)];
        Compare(together, scores);
        return true;

        Span<float> Alone(int i) => plain.EvaluateAll(new(new(1, image[0], image[1], image[2]), images.AsMemory(i * (int)image.Count, (int)image.Count)))[0].Span;
    }

    /// <summary>Holds values to those of the plain evaluator, where these are numbers and not too large.</summary>
    public static void Compare(ReadOnlySpan<float> plain, ReadOnlySpan<float> scores)
    {
        float most = 1;
        foreach (float value in plain)
            if (!float.IsFinite(value) || (most = Math.Max(most, Math.Abs(value))) > 1e6f)
                return;
        if (plain.Length != scores.Length)
            throw new InvalidOperationException($"{plain.Length} values by the plain evaluator, {scores.Length} by the compiled model");
        for (int i = 0; i < plain.Length; i++)
            if (!(Math.Abs(plain[i] - scores[i]) <= 0.02f * most))
                throw new InvalidOperationException($"value {i} is {plain[i]} by the plain evaluator and {scores[i]} by the compiled model");
    }
}
