using MLNet.PQCompression.Collectives;

namespace MLNet.PQCompression.Tests.Collectives;

public sealed class PartSumsTests
{
    /// <summary>Numbers of many sizes, whose sum depends on the order.</summary>
    private static float[] Part(int part)
    {
        var random = new Random(part);
        return [.. Enumerable.Range(0, 1000).Select(_ => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(8)))];
    }

    private static float[] Sum(ICollective ranks)
    {
        var parts = new WorkParts(ranks);
        var sums = new PartSums<ArraySums>(parts);
        for (int part = parts.First; part < parts.End; part++)
            sums.Add(part, new([Part(part)], [[part]]));
        var total = new ArraySums([new float[1000]], [new double[1]]);
        sums.FinishForAll(total);
        Assert.Equal(120, total.Doubles[0][0]);
        return total.Singles[0];
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(16)]
    public void Any_number_of_ranks_adds_in_one_order(int size)
    {
        float[] expected = Sum(new SingleRank());
        Assert.All(ThreadRanks.Run(size, Sum).Results, actual => Assert.Equal(expected, actual));
        // The order matters: one after the other gives other bits.
        float[] inSequence = new float[1000];
        for (int part = 0; part < 16; part++)
            inSequence = [.. inSequence.Zip(Part(part), (a, b) => a + b)];
        Assert.NotEqual(expected, inSequence);
    }

    [Fact]
    public void Every_part_has_one_owner()
    {
        for (int size = 1; size <= WorkParts.Shared; size++)
            ThreadRanks.Run(size, ranks =>
            {
                var parts = new WorkParts(ranks);
                for (int part = 0; part < parts.Count; part++)
                    Assert.Equal(part >= parts.First && part < parts.End, parts.Owner(part) == ranks.Rank);
                return 0;
            });
    }

    [Fact]
    public void More_ranks_than_parts_are_refused() =>
        Assert.Contains("start 16 ranks at most", Assert.Throws<ArgumentException>(() => ThreadRanks.Run(17, ranks => new WorkParts(ranks))).Message, StringComparison.Ordinal);
}
