using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>The running statistics of a BatchNorm into whose weight and bias they were folded: mean 0 and variance 1.</summary>
internal static class FoldedStatistics
{
    public static IEnumerable<KeyValuePair<string, StateTensor>> Of(string layer, TensorShape channels)
    {
        float[] ones = new float[channels.Count];
        Array.Fill(ones, 1);
        yield return new($"{layer}.running_mean", new WeightTensor(new DenseTensor(channels, new float[channels.Count])));
        yield return new($"{layer}.running_var", new WeightTensor(new DenseTensor(channels, ones)));
    }
}
