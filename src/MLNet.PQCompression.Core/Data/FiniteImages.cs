using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Data;

/// <summary>The check that preprocessed images are numbers.</summary>
internal static class FiniteImages
{
    /// <summary>Refuses images with NaN or infinity among their values.</summary>
    /// <param name="batch">The images.</param>
    /// <param name="length">Values of one image.</param>
    /// <param name="count">How many of the batch's images are looked at.</param>
    /// <exception cref="InvalidDataException">There is one; the message names it.</exception>
    public static void Require(SampleBatch batch, int length, int count)
    {
        for (int i = 0; i < count; i++)
            if (!FiniteWeights.IsFinite(batch.Data.Span.Slice(i * length, length)))
                throw new InvalidDataException($"The image '{batch.Names[i]}' holds values that are not finite once it is preprocessed; look at its pixels, the mean and the standard deviation.");
    }
}
