using System.Collections.Immutable;

namespace MLNet.PQCompression.Budget;

/// <summary>
/// The best plan of every size, by dynamic programming over the layers: of all sums of one choice for each layer those are kept that no other undercuts in both bytes and divergence (the multiple-choice
/// knapsack problem).
/// </summary>
internal static class PlanSearch
{
    /// <summary>Sums whose bytes differ by less than one part in so many are taken as one, and the one of least divergence is kept; their bytes stay exact.</summary>
    private const double Resolution = 4096;

    /// <summary>The curve of best plans, by rising bytes and falling divergence.</summary>
    /// <param name="layers">The choices of each layer.</param>
    /// <param name="otherBytes">Bytes of the file that belong to no layer.</param>
    /// <param name="mostBytes">Larger plans are not kept.</param>
    public static ImmutableArray<PlanPoint> Curve(IReadOnlyList<ImmutableArray<LayerChoice>> layers, long otherBytes, long mostBytes = long.MaxValue)
    {
        // What the layers still to come take at least, so that no sum is kept that cannot end within the bounds.
        long toCome = layers.Sum(l => l.Min(c => c.FileBytes));
        var stages = new List<Sum[]> { new[] { new Sum(otherBytes, 0, -1, -1) } };
        foreach (ImmutableArray<LayerChoice> choices in layers)
        {
            toCome -= choices.Min(c => c.FileBytes);
            Sum[] last = stages[^1];
            var sums = new List<Sum>(last.Length * choices.Length);
            for (int i = 0; i < last.Length; i++)
                for (int c = 0; c < choices.Length; c++)
                    if (last[i].Bytes + choices[c].FileBytes + toCome <= mostBytes)
                        sums.Add(new(last[i].Bytes + choices[c].FileBytes, last[i].Divergence + choices[c].Divergence, i, c));
            stages.Add(Best(sums));
        }
        return [.. stages[^1].Select((sum, i) => new PlanPoint(sum.Bytes, sum.Divergence, Trace(stages, layers, i)))];
    }

    /// <summary>The sums that none undercuts, by rising bytes.</summary>
    private static Sum[] Best(List<Sum> sums)
    {
        var cells = new Dictionary<int, Sum>();
        foreach (Sum sum in sums)
        {
            var cell = (int)(Math.Log(Math.Max(1, sum.Bytes)) * Resolution);
            if (!cells.TryGetValue(cell, out Sum other) || (sum.Divergence, sum.Bytes).CompareTo((other.Divergence, other.Bytes)) < 0)
                cells[cell] = sum;
        }
        var best = new List<Sum>();
        foreach (Sum sum in cells.Values.OrderBy(s => s.Bytes).ThenBy(s => s.Divergence).ThenBy(s => s.Previous).ThenBy(s => s.Choice))
            if (best.Count == 0 || sum.Divergence < best[^1].Divergence)
                best.Add(sum);
        return [.. best];
    }

    private static ImmutableArray<LayerChoice> Trace(List<Sum[]> stages, IReadOnlyList<ImmutableArray<LayerChoice>> layers, int at)
    {
        var choices = new LayerChoice[layers.Count];
        for (int stage = layers.Count; stage > 0; stage--)
        {
            Sum sum = stages[stage][at];
            choices[stage - 1] = layers[stage - 1][sum.Choice];
            at = sum.Previous;
        }
        return ImmutableArray.Create(choices);
    }

    private readonly record struct Sum(long Bytes, double Divergence, int Previous, int Choice);
}
