using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Reporting;

/// <summary>What a network answers to each image of a batch: the tensors of real numbers among its outputs, cut along the batch.</summary>
internal static class ImageAnswers
{
    /// <summary>Scores a batch.</summary>
    /// <param name="session">The network.</param>
    /// <param name="images">N×C×H×W.</param>
    /// <returns>For each image the values of each output, by name. An output that cannot be cut along the batch counts as the first image's.</returns>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<float>>[] Of(IScoringSession session, Activation images) => Of(session.Run(images), images.Shape[0]);

    /// <summary>Cuts a batch's outputs.</summary>
    /// <param name="outputs">What a network gave.</param>
    /// <param name="count">The images in the batch.</param>
    /// <returns>For each image the values of each output, by name. An output that cannot be cut along the batch counts as the first image's.</returns>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<float>>[] Of(IReadOnlyDictionary<string, Activation> outputs, int count)
    {
        Dictionary<string, ReadOnlyMemory<float>>[] answers = [.. Enumerable.Range(0, count).Select(_ => new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal))];
        foreach ((string name, Activation value) in outputs)
        {
            if (value is ForeignValue)
                continue;
            bool isOfBatch = value.Shape.Rank > 0 && value.Shape[0] % count == 0;
            int parts = isOfBatch ? count : 1, length = value.Span.Length / parts;
            for (int i = 0; i < parts; i++)
                answers[i][name] = value.Memory.Slice(i * length, length);
        }
        return answers;
    }
}
