namespace MLNet.PQCompression.Distillation;

/// <summary>Where fine-tuning stands.</summary>
/// <param name="Stage">"layer" for layer-wise steps, "global" for the epochs over the whole network, "train" for training on labels.</param>
/// <param name="Layer">The weight that is fine-tuned, or null.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">The mean loss since the last report.</param>
/// <param name="ImagesPerSecond">The speed since the start.</param>
/// <param name="Remaining">The time that the rest will take at that speed.</param>
public sealed record DistillationProgress(string Stage, string? Layer, long Step, long Steps, double Loss, double ImagesPerSecond, TimeSpan Remaining);
