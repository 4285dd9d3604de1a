using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Tests.Detectors;

public sealed class NonMaximumSuppressionTests
{
    /// <summary>By definition: a candidate stays exactly if no surer one of its class that stays overlaps it by more than the limit.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(0.65)]
    [InlineData(1)]
    public void WhatStaysIsWhatTheDefinitionSays(double limit)
    {
        var random = new Random(3);
        Candidate[] candidates = [.. Enumerable.Range(0, 300).Select(_ =>
        {
            double x = random.Next(40), y = random.Next(40);
            return new Candidate(random.Next(3), random.Next(100) / 100f, new(x, y, x + 5 + random.Next(25), y + 5 + random.Next(25)));
        })];
        IReadOnlyList<Candidate> kept = NonMaximumSuppression.Keep(candidates, limit, int.MaxValue);
        Candidate[] order = [.. candidates.OrderByDescending(c => c.Score)];
        var stays = new bool[order.Length];
        for (int i = 0; i < order.Length; i++)
            stays[i] = !Enumerable.Range(0, i).Any(j => stays[j] && order[j].Label == order[i].Label && PixelOverlap(order[j].Box, order[i].Box) > limit);
        Assert.Equal(order.Where((_, i) => stays[i]), kept);
        Assert.Equal(kept.Take(10), NonMaximumSuppression.Keep(candidates, limit, 10));
    }

    [Fact]
    public void ClassesDoNotSuppressEachOther()
    {
        var box = new DetectionBox(0, 0, 10, 10);
        Assert.Equal(2, NonMaximumSuppression.Keep([new(0, 0.9f, box), new(1, 0.8f, box), new(0, 0.7f, box)], 0.5, 100).Count);
    }

    /// <summary>Boxes with whole corners cover whole pixels, which can be counted.</summary>
    private static double PixelOverlap(DetectionBox a, DetectionBox b)
    {
        HashSet<(int, int)> of(DetectionBox box) => [.. Enumerable.Range((int)box.Left, (int)(box.Right - box.Left)).SelectMany(x => Enumerable.Range((int)box.Top, (int)(box.Bottom - box.Top)), (x, y) => (x, y))];
        HashSet<(int, int)> one = of(a), other = of(b);
        int both = one.Count(other.Contains);
        return (double)both / (one.Count + other.Count - both);
    }
}
