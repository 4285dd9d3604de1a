namespace MLNet.PQCompression.Detectors;

/// <summary>Leaves out what a detector says several times of one object.</summary>
public static class NonMaximumSuppression
{
    /// <summary>Takes candidates by falling score, each unless one of its class that was taken before overlaps it by more than allowed.</summary>
    /// <param name="candidates">What a detector says, in any order.</param>
    /// <param name="mostOverlap">The intersection over union that two boxes of a class may have.</param>
    /// <param name="most">How many are taken at most.</param>
    public static IReadOnlyList<Candidate> Keep(IEnumerable<Candidate> candidates, double mostOverlap, int most)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var kept = new List<Candidate>();
        var ofLabel = new Dictionary<int, List<DetectionBox>>();
        foreach (Candidate candidate in candidates.OrderByDescending(c => c.Score))
        {
            if (kept.Count == most)
                break;
            List<DetectionBox> taken = ofLabel.TryGetValue(candidate.Label, out List<DetectionBox>? known) ? known : ofLabel[candidate.Label] = [];
            if (taken.Exists(box => box.Overlap(candidate.Box) > mostOverlap))
                continue;
            taken.Add(candidate.Box);
            kept.Add(candidate);
        }
        return kept;
    }
}
