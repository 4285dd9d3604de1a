namespace MLNet.PQCompression.Inference;

/// <summary>How an inference session runs.</summary>
public sealed record InferenceOptions
{
    /// <summary>Threads for one call, or 0 for one for each processor.</summary>
    public int Threads { get; init; }
}
