using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>What a call may take for activations and scratch. It is held to before anything of the size is allocated.</summary>
/// <param name="Bytes">The bound.</param>
/// <param name="Threads">Threads that share a workspace.</param>
internal readonly record struct MemoryBound(long Bytes, int Threads)
{
    /// <summary>Refuses a value that takes more than the bound by itself.</summary>
    /// <exception cref="InvalidModelException">It does.</exception>
    public void Check(PlanValue value)
    {
        if ((long)value.ImageStride * sizeof(float) > Bytes)
            throw TooMuch($"its value '{value.Name}' of {value.Channels}×{value.Height}×{value.Width}", (long)value.ImageStride * sizeof(float));
    }

    /// <summary>Refuses a plan that takes more than the bound for one image, or more in one piece than an array holds.</summary>
    /// <exception cref="InvalidModelException">It does.</exception>
    public void Check(CompiledPlan plan)
    {
        long bytes = plan.WorkspaceBytes(1, Threads);
        if (bytes > Bytes || !Fits(plan.ValuesPerImage) || !Fits(plan.SharedScratch) || !Fits(plan.ThreadScratch) || !Fits(plan.SharedScratch + plan.ThreadScratch * Threads))
            throw TooMuch($"one image on {Threads} threads", bytes);
    }

    /// <summary>Whether each of some threads can have a workspace of its own.</summary>
    public bool AllowsOneEach(CompiledPlan plan, int images) => plan.WorkspaceBytes(images, Threads) + (Threads - 1) * plan.WorkspaceBytes(images, 1) <= Bytes;

    private static bool Fits(long values) => values <= Array.MaxLength - 64;

    private InvalidModelException TooMuch(string what, long bytes) => new(
        $"The model would take {bytes / 1e6:F0} MB for {what}; at most {Bytes / 1e6:F0} MB are allowed. Give smaller images, or raise {nameof(InferenceOptions)}.{nameof(InferenceOptions.MaxMemoryBytes)}.");
}
