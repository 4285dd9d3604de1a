namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Gives every value a place in one buffer; values that never live at the same time share places.</summary>
internal static class BufferLayout
{
    /// <summary>Sets the offsets of all values that the steps make and returns the length of the buffer for one image.</summary>
    public static long Assign(Step[] steps)
    {
        var lastUse = new Dictionary<PlanValue, int>();
        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i].Output is { } output)
                lastUse[output] = i;
            foreach (PlanValue input in steps[i].Inputs)
                lastUse[input] = i;
        }
        var dying = new List<PlanValue>?[steps.Length];
        foreach ((PlanValue value, int last) in lastUse)
            (dying[last] ??= []).Add(value);
        var live = new List<PlanValue>(); // By offset.
        long length = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            if (i > 0 && dying[i - 1] is { } dead)
                foreach (PlanValue value in dead)
                    live.Remove(value);
            if (steps[i].Output is not { } made)
                continue;
            made.Offset = BestGap(live, Size(made), out int index);
            live.Insert(index, made);
            length = Math.Max(length, made.Offset + Size(made));
        }
        return length;
    }

    private static long Size(PlanValue value) => Workspace.RoundUp(value.ImageStride);

    /// <summary>The start of the smallest gap between live values that is large enough, or the end of them all, and before which value it lies.</summary>
    private static long BestGap(List<PlanValue> live, long size, out int index)
    {
        long best = -1, bestGap = long.MaxValue, end = 0;
        index = live.Count;
        for (int i = 0; i < live.Count; i++)
        {
            long gap = live[i].Offset - end;
            if (gap >= size && gap < bestGap)
                (best, bestGap, index) = (end, gap, i);
            end = live[i].Offset + Size(live[i]);
        }
        return best >= 0 ? best : end;
    }
}
