using System.Collections.Immutable;
using MLNet.PQCompression.Distillation.Checkpoints;

namespace MLNet.PQCompression.Distillation;

/// <summary>Everything that a global fine-tuning carries from one epoch to the next: parameters, statistics, the optimizer's memory, the average, codes.</summary>
internal sealed class GlobalState(ITrainingModel model, WeightAverage? average, CodeReassignment? reassignment)
{
    private const string Value = "value:", Slot = "slot:", Average = "average:";

    /// <summary>The state after a number of steps.</summary>
    public Checkpoint Capture(long step)
    {
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (string name in model.Parameters)
            values[Value + name] = model.Values(name).ToArray();
        foreach ((string name, ImmutableArray<float> slot) in model.GetOptimizerState().Slots)
            values[Slot + name] = [.. slot];
        if (average is not null)
            foreach ((string name, float[] array) in average.Values)
                values[Average + name] = array;
        foreach ((string name, float[] array) in reassignment?.State ?? [])
            values[name] = array;
        return new("global", step, values, reassignment?.Codes ?? ImmutableDictionary<string, ushort[]>.Empty);
    }

    /// <summary>Puts a state back and tells the number of steps done.</summary>
    public long Restore(Checkpoint checkpoint)
    {
        foreach (string name in model.Parameters)
            model.SetValues(name, checkpoint.Values[Value + name]);
        ImmutableSortedDictionary<string, ImmutableArray<float>> slots = checkpoint.Values.Where(v => v.Key.StartsWith(Slot, StringComparison.Ordinal))
            .ToImmutableSortedDictionary(v => v.Key[Slot.Length..], v => v.Value.ToImmutableArray(), StringComparer.Ordinal);
        model.SetOptimizerState(new(checkpoint.Position, slots));
        average?.Restore(checkpoint.Values.Where(v => v.Key.StartsWith(Average, StringComparison.Ordinal))
            .ToDictionary(v => v.Key[Average.Length..], v => v.Value, StringComparer.Ordinal), checkpoint.Position);
        reassignment?.Restore(checkpoint.Codes, checkpoint.Values);
        return checkpoint.Position;
    }
}
