using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Budget;

/// <summary>Reports the progress of a part of some work as that of the whole.</summary>
internal sealed class ProgressPart : IProgress<CompressionProgress>
{
    private readonly IProgress<CompressionProgress> _whole;
    private readonly double _from, _to;

    private ProgressPart(IProgress<CompressionProgress> whole, double from, double to) => (_whole, _from, _to) = (whole, from, to);

    /// <summary>The part of the whole between two fractions, or null where nobody listens.</summary>
    public static IProgress<CompressionProgress>? Of(IProgress<CompressionProgress>? whole, double from, double to) => whole is null ? null : new ProgressPart(whole, from, to);

    /// <inheritdoc/>
    public void Report(CompressionProgress value) => _whole.Report(value with { Fraction = _from + (_to - _from) * value.Fraction });
}
