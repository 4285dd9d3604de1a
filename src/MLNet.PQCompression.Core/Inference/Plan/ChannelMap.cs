using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A value whose channels are channels of other values: what Concat, Split, Slice, Gather and a channel shuffle make, before anything is copied.</summary>
/// <param name="Channels">Where each channel comes from.</param>
internal sealed record ChannelMap((PlanValue Source, int Channel)[] Channels)
{
    /// <summary>All channels of a value.</summary>
    public static ChannelMap Of(PlanValue value)
    {
        var channels = new (PlanValue, int)[value.Channels];
        for (int c = 0; c < channels.Length; c++)
            channels[c] = (value, c);
        return new(channels);
    }

    /// <summary>The value whose channels these are, all of them in their order, or null.</summary>
    public PlanValue? Whole
    {
        get
        {
            PlanValue value = Channels[0].Source;
            bool whole = value.Channels == Channels.Length;
            for (int c = 0; whole && c < Channels.Length; c++)
                whole = ReferenceEquals(Channels[c].Source, value) && Channels[c].Channel == c;
            return whole ? value : null;
        }
    }

    /// <summary>The channels at some positions.</summary>
    public ChannelMap Pick(IEnumerable<int> positions) => new([.. positions.Select(p => Channels[p])]);

    /// <summary>The number of groups of a channel shuffle that three nodes make, or 0: [N, C, H, W] to [N, g, C/g, H, W], the two exchanged, and back.</summary>
    public static int Groups(TensorShape image, TensorShape split, Transpose transpose, TensorShape joined) =>
        image.Rank == 4 && joined == image && split.Rank is 5 or 4 && split[0] == image[0] && (long)split[1] * split[2] == image[1]
        && split.Count == image.Count && IsExchange(transpose.Permutation.AsSpan()) ? split[1] : 0;

    private static bool IsExchange(ReadOnlySpan<int> permutation) => permutation.SequenceEqual([0, 2, 1, 3, 4]) || permutation.SequenceEqual([0, 2, 1, 3]);
}
