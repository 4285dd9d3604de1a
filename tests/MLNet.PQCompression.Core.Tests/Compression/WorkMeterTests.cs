using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>The remaining time of work whose speeds are made up, by a clock that only the test moves.</summary>
public sealed class WorkMeterTests
{
    /// <summary>Units a second of each kind on the made-up machine: none is in the usual proportion to another.</summary>
    private static readonly Dictionary<WorkKind, double> Speeds = new()
    {
        [WorkKind.Evaluation] = 4e9, [WorkKind.Statistics] = 3e10, [WorkKind.Search] = 1e9,
    };

    private readonly ManualClock _clock = new();

    [Fact]
    public void After_a_tenth_of_the_time_the_rest_is_known_within_half_though_the_layers_are_of_other_kinds()
    {
        // First many layers that are all evaluation, then few that are nearly all search and take most of the time.
        Work[] layers = [.. Enumerable.Range(0, 20).Select(i => i < 14 ? Amounts(8e9, 1e10, 1e8) : Amounts(1e9, 3e10, 2e10))];
        (double share, double factor)[] seen = Run(layers, jit: 3);
        double whole = layers.Sum(Seconds);
        Assert.True(layers[14..].Sum(Seconds) > 0.7 * whole);
        // By one speed for work of any kind the whole would be far off at that time.
        double Sum(Work w) => Enumerable.Range(0, Work.Kinds).Sum(k => w[(WorkKind)k]);
        Assert.False(layers[..8].Sum(Seconds) * layers.Sum(Sum) / layers[..8].Sum(Sum) / whole is > 1 / 1.5 and < 1.5);
        Assert.All(seen.Where(s => s.share >= 0.1), s => Assert.InRange(s.factor, 1 / 1.5, 1.5));
    }

    [Fact]
    public void The_first_measurement_of_a_kind_counts_only_until_there_is_another()
    {
        var speed = new WorkSpeed();
        speed.Add(WorkKind.Search, 1e9, 100);
        double cold = speed.SecondsOf(Work.Of(WorkKind.Search, 1e10));
        speed.Add(WorkKind.Search, 1e11, 100);
        Assert.True(cold > 500);
        Assert.InRange(speed.SecondsOf(Work.Of(WorkKind.Search, 1e10)), 9, 11);
    }

    [Fact]
    public void A_kind_that_was_not_measured_is_as_slow_as_the_machine()
    {
        (WorkSpeed fast, WorkSpeed slow) = (new(), new());
        fast.Add(WorkKind.Evaluation, 3e11, 10);
        slow.Add(WorkKind.Evaluation, 3e11, 100);
        var rest = Work.Of(WorkKind.Search, 1e12);
        Assert.InRange(slow.SecondsOf(rest) / fast.SecondsOf(rest), 7, 10);
    }

    [Fact]
    public void Within_a_part_the_rest_falls_with_the_clock_and_the_share_of_time_never_falls()
    {
        var meter = new WorkMeter(clock: _clock);
        meter.Plan(3 * Amounts(0, 0, 1e10));
        Do(meter, Amounts(0, 0, 1e10));
        Do(meter, Amounts(0, 0, 1e10));
        using WorkItem item = meter.Begin(Amounts(0, 0, 1e10));
        using IDisposable timed = item.Time(WorkKind.Search);
        (double before, double fraction) = (meter.Remaining.TotalSeconds, meter.Fraction);
        _clock.Advance(4);
        Assert.Equal(before - 4, meter.Remaining.TotalSeconds, 3);
        Assert.True(meter.Fraction > fraction);
        item.Tell(0.25, "fine-tuning", null); // A quarter took four seconds, whatever was thought before.
        Assert.Equal(12, meter.Remaining.TotalSeconds, 3);
        Assert.True(meter.Fraction >= fraction);
    }

    [Fact]
    public void The_share_of_time_goes_on_though_less_was_expected_before()
    {
        var meter = new WorkMeter(clock: _clock);
        meter.Plan(20 * Amounts(0, 0, 1e9));
        var seen = new List<double> { meter.Fraction };
        for (int i = 0; i < 20; i++)
        {
            Do(meter, Amounts(0, 0, 1e9), slowness: i < 4 ? 0.1 : 10);
            seen.Add(meter.Fraction);
        }
        Assert.All(seen.Zip(seen.Skip(1)), p => Assert.True(p.First < p.Second));
        Assert.Equal(1, seen[^1]);
    }

    [Fact]
    public void What_lies_ahead_is_counted_and_what_was_not_done_is_dropped()
    {
        var meter = new WorkMeter(clock: _clock) { Ahead = Amounts(0, 0, 5e10) };
        meter.Plan(Amounts(0, 0, 1e10) + Amounts(4e10, 0, 0));
        Do(meter, Amounts(0, 0, 1e10));
        using (meter.Begin(Amounts(4e10, 0, 0)))
        {
            // Nothing of it is run, as when a layer is taken from a checkpoint.
        }
        Assert.InRange(meter.Remaining.TotalSeconds, 45, 55);
        meter.Ahead = default;
        Assert.Equal(TimeSpan.Zero, meter.Remaining);
        Assert.Equal(1, meter.Fraction);
    }

    /// <summary>Does the layers, and says for each moment between two the share of the time that had passed and the estimated whole over the true one.</summary>
    private (double Share, double Factor)[] Run(Work[] layers, double jit)
    {
        var meter = new WorkMeter(clock: _clock);
        meter.Plan(layers.Aggregate((a, b) => a + b));
        var seen = new List<(double Passed, double Estimate)>();
        foreach ((int i, Work layer) in layers.Index())
        {
            Do(meter, layer, i == 0 ? jit : 1);
            double passed = _clock.GetElapsedTime(0).TotalSeconds;
            seen.Add((passed, passed + meter.Remaining.TotalSeconds));
        }
        double whole = seen[^1].Passed;
        return [.. seen.Select(s => (s.Passed / whole, s.Estimate / whole))];
    }

    private void Do(WorkMeter meter, Work work, double slowness = 1)
    {
        using WorkItem item = meter.Begin(work);
        foreach (WorkKind kind in Speeds.Keys.Where(k => work[k] > 0))
            using (item.Time(kind))
                _clock.Advance(slowness * work[kind] / Speeds[kind]);
    }

    private static double Seconds(Work work) => Speeds.Sum(s => work[s.Key] / s.Value);

    private static Work Amounts(double evaluation, double statistics, double search) =>
        Work.Of(WorkKind.Evaluation, evaluation) + Work.Of(WorkKind.Statistics, statistics) + Work.Of(WorkKind.Search, search);
}
