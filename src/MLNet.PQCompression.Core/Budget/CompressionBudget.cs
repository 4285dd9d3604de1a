using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Budget;

/// <summary>What a compressed network may take or lose; the plan that keeps to it is searched for. Exactly one of the four limits is given.</summary>
public sealed record CompressionBudget
{
    /// <summary>Bytes of the written file at most.</summary>
    public long? FileBytes { get; init; }

    /// <summary>How many times smaller than its float32 parameters the written file is to be, at least.</summary>
    public double? Ratio { get; init; }

    /// <summary>The divergence from the teacher at most: the mean KL in nats or, for features, 1 − the mean cosine.</summary>
    public double? Divergence { get; init; }

    /// <summary>The share of answers that may be lost: of images on which the two name different classes; of a detector's average precision by its teacher's detections (<see cref="Reporting.HeldOutReport.AveragePrecision"/>); for features 1 − the mean cosine.</summary>
    public double? LostShare { get; init; }

    /// <summary>Images on which divergence and loss are measured, none of those that the network is compressed from; null measures on these themselves, which flatters.</summary>
    public ISampleSource? HeldOut { get; init; }

    /// <summary>Bytes of the file that are kept free for metadata added after compression.</summary>
    public int ReservedBytes { get; init; }

    /// <summary>Whether the limit is one of size.</summary>
    internal bool IsOfSize => FileBytes is not null || Ratio is not null;

    /// <summary>Checks that exactly one limit is given and that it can be met by something.</summary>
    /// <exception cref="ArgumentException">It is not so; the message says what to give.</exception>
    internal void Check()
    {
        double?[] limits = [FileBytes, Ratio, Divergence, LostShare];
        if (limits.Count(l => l is not null) != 1)
            throw new ArgumentException("A budget has exactly one limit: bytes, ratio, divergence or loss.");
        if (limits.Single(l => l is not null) is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentException("The limit of a budget is a positive number.");
        if (LostShare >= 1 || ReservedBytes < 0)
            throw new ArgumentException("The loss of a budget is a share below 1, and reserved bytes are not negative.");
    }
}
