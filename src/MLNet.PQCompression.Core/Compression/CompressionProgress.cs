namespace MLNet.PQCompression.Compression;

/// <summary>Where a compression stands.</summary>
/// <param name="Stage">What is being done, a short phrase: "reading images", "taking statistics", "quantizing".</param>
/// <param name="Layer">The layer at work, or null.</param>
/// <param name="Fraction">How far the work is, as a share of its time, 0 to 1; it never falls.</param>
/// <param name="Detail">A figure worth showing (an objective, a rate), or null.</param>
/// <param name="Remaining">The time that the rest takes: what is left of each kind of work, at the speed of that kind so far. Null where nothing is known yet.</param>
public sealed record CompressionProgress(string Stage, string? Layer, double Fraction, string? Detail = null, TimeSpan? Remaining = null);
