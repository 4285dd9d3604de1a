namespace MLNet.PQCompression.Data;

/// <summary>An image that was left out.</summary>
/// <param name="Name">Its name in the source.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record SkippedImage(string Name, string Reason);
