namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Gives every value a place in one buffer; values that never live at the same time share places.</summary>
internal static class BufferLayout
{
    /// <summary>Sets the offsets of all values that the steps make and returns the length of the buffer for one image.</summary>
    public static long Assign(IReadOnlyList<Step> steps)
    {
        var lastUse = new Dictionary<PlanValue, int>();
        for (int i = 0; i < steps.Count; i++)
        {
            if (steps[i].Output is { } output)
                lastUse[output] = i;
            foreach (PlanValue input in steps[i].Inputs)
                lastUse[input] = i;
        }
        var live = new List<(long Start, long End, int LastUse)>();
        long length = 0;
        for (int i = 0; i < steps.Count; i++)
        {
            if (steps[i].Output is not { } value)
                continue;
            live.RemoveAll(v => v.LastUse < i);
            live.Sort();
            long size = Workspace.RoundUp(value.ImageStride), start = BestGap(live, size);
            value.Offset = start;
            live.Add((start, start + size, lastUse[value]));
            length = Math.Max(length, start + size);
        }
        return length;
    }

    /// <summary>The start of the smallest gap between live values that is large enough, or the end of them all.</summary>
    private static long BestGap(List<(long Start, long End, int LastUse)> live, long size)
    {
        long best = -1, bestGap = long.MaxValue, end = 0;
        foreach ((long start, long stop, _) in live)
        {
            long gap = start - end;
            if (gap >= size && gap < bestGap)
                (best, bestGap) = (end, gap);
            end = Math.Max(end, stop);
        }
        return best >= 0 ? best : end;
    }
}
