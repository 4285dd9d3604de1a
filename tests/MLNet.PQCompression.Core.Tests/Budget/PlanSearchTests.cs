using System.Collections.Immutable;
using MLNet.PQCompression.Budget;

namespace MLNet.PQCompression.Tests.Budget;

public sealed class PlanSearchTests
{
    /// <summary>Sums stay below 4096 bytes, where the resolution of the search tells every byte apart.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_curve_holds_the_best_plan_of_every_size(int seed)
    {
        var random = new Random(seed);
        ImmutableArray<LayerChoice>[] layers = [.. Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, 5).Select(_ => Choice(random.Next(10, 600), random.NextDouble())).ToImmutableArray())];
        (long Bytes, double Divergence)[] all = [(100, 0)];
        foreach (ImmutableArray<LayerChoice> layer in layers)
            all = [.. all.SelectMany(a => layer.Select(c => (a.Bytes + c.FileBytes, a.Divergence + c.Divergence)))];
        ImmutableArray<PlanPoint> curve = PlanSearch.Curve(layers, otherBytes: 100);
        Assert.Equal(all.Min(a => a.Bytes), curve[0].FileBytes);
        for (long budget = curve[0].FileBytes; budget < 3200; budget += 7)
        {
            double best = all.Where(a => a.Bytes <= budget).Min(a => a.Divergence);
            PlanPoint found = curve.Last(p => p.FileBytes <= budget);
            Assert.Equal(best, found.Divergence, 12);
            Assert.Equal(found.FileBytes, 100 + found.Choices.Sum(c => c.FileBytes));
            Assert.Equal(found.Divergence, found.Choices.Sum(c => c.Divergence), 12);
        }
    }

    [Fact]
    public void The_curve_rises_in_bytes_and_falls_in_divergence_and_many_layers_stay_cheap()
    {
        var random = new Random(4);
        ImmutableArray<LayerChoice>[] layers = [.. Enumerable.Range(0, 60).Select(_ => Enumerable.Range(0, 25).Select(_ => Choice(random.Next(1000, 4_000_000), random.NextDouble())).ToImmutableArray())];
        ImmutableArray<PlanPoint> curve = PlanSearch.Curve(layers, otherBytes: 0);
        Assert.InRange(curve.Length, 2, 20_000);
        Assert.All(curve.Zip(curve.Skip(1)), p => Assert.True(p.First.FileBytes < p.Second.FileBytes && p.First.Divergence > p.Second.Divergence));
    }

    private static LayerChoice Choice(long bytes, double divergence) => new(9, 256, bytes, divergence, divergence, true);
}
