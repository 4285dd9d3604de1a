namespace MLNet.PQCompression.Compression;

/// <summary>Where a compression stands.</summary>
/// <param name="Stage">What is being done, a short phrase: "reading images", "statistics", "quantizing".</param>
/// <param name="Layer">The layer at work, or null.</param>
/// <param name="Fraction">Work done of the whole, 0 to 1.</param>
/// <param name="Detail">A figure worth showing (an objective, a rate), or null.</param>
public sealed record CompressionProgress(string Stage, string? Layer, double Fraction, string? Detail = null);
