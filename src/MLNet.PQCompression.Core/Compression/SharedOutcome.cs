using System.Runtime.InteropServices;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>Gives all ranks what rank 0 has found of a layer.</summary>
internal static class SharedOutcome
{
    private const string Figures = "figures:";

    /// <summary>The outcome of rank 0 with this rank's own outputs of the teacher.</summary>
    /// <param name="own">This rank's outcome; on rank 0 the whole one.</param>
    /// <param name="student">The student before the layer, the same on all ranks.</param>
    /// <param name="parts">How the work is shared.</param>
    public static LayerQuantizer.Outcome Share(LayerQuantizer.Outcome own, ModelGraph student, WorkParts parts)
    {
        if (parts.Ranks.Size == 1)
            return own;
        Checkpoint state = CheckpointContent.FromFirst(parts, () => Describe(own, student))!;
        if (parts.IsFirst)
            return own;
        double[] figures = MemoryMarshal.Cast<float, double>(state.Values[Figures].AsSpan()).ToArray();
        ModelGraph changed = StudentState.Restore(student, state with { Values = state.Values.Where(v => v.Key != Figures).ToDictionary(StringComparer.Ordinal) });
        return own with
        {
            Weights = [.. changed.Initializers.Where(i => !ReferenceEquals(i.Value, student.Initializers[i.Key]))],
            RelativeError = figures[0],
            Objective = figures[1..],
        };
    }

    private static Checkpoint Describe(LayerQuantizer.Outcome outcome, ModelGraph student)
    {
        Checkpoint state = StudentState.Capture(student, student.WithInitializers(outcome.Weights), "layer", 0);
        double[] figures = [outcome.RelativeError, .. outcome.Objective];
        return state with { Values = new Dictionary<string, float[]>(state.Values, StringComparer.Ordinal) { [Figures] = MemoryMarshal.Cast<double, float>(figures.AsSpan()).ToArray() } };
    }
}
