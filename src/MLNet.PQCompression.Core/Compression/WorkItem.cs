namespace MLNet.PQCompression.Compression;

/// <summary>A part of some work while it is done: how long it spends on each kind.</summary>
/// <param name="work">What it consists of.</param>
/// <param name="clock">What measures.</param>
/// <param name="meter">What is told of it.</param>
/// <param name="layer">The layer that it is about, or null.</param>
internal sealed class WorkItem(Work work, TimeProvider clock, WorkMeter meter, string? layer) : IDisposable
{
    private static readonly string[] Stages = ["reading images", "passing on", "scoring", "taking statistics", "solving", "quantizing", "fine-tuning"];

    /// <summary>What takes longer than was thought is taken to need so much more of the time that it has had.</summary>
    private const double Overdue = 0.1;

    private readonly double[] _seconds = new double[Work.Kinds];
    private WorkKind? _running;
    private long _start;
    private double _share;

    /// <summary>What it consists of.</summary>
    public Work Work => work;

    /// <summary>Tells that a kind of it begins and times it, until what is returned is disposed of. A kind may be timed in several pieces.</summary>
    public IDisposable Time(WorkKind kind, string? detail = null)
    {
        (_running, _start, _share) = (kind, clock.GetTimestamp(), 0);
        meter.Tell(Stages[(int)kind], layer, detail);
        return new Piece(this);
    }

    /// <summary>Tells what share of the running kind's work is done.</summary>
    public void Tell(double share, string stage, string? detail)
    {
        _share = share;
        meter.Tell(stage, layer, detail);
    }

    /// <summary>The time spent on a kind.</summary>
    public double SecondsOf(WorkKind kind) => _seconds[(int)kind] + (_running == kind ? clock.GetElapsedTime(_start).TotalSeconds : 0);

    /// <summary>The time that the rest of it takes: what the speed says of the kinds to come, and of the running one less what it has had. A kind that has stopped is done.</summary>
    public double SecondsLeft(WorkSpeed speed)
    {
        double left = 0;
        for (WorkKind kind = 0; (int)kind < Work.Kinds; kind++)
        {
            double spent = SecondsOf(kind);
            if (kind == _running || spent == 0)
                left += kind == _running && _share > 0 ? spent * (1 - _share) / _share : Math.Max(Overdue * spent, speed.SecondsOf(Work.Of(kind, work[kind])) - spent);
        }
        return left;
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Finish(this);

    private void Stop()
    {
        if (_running is { } kind)
            _seconds[(int)kind] = SecondsOf(kind);
        _running = null;
    }

    private sealed class Piece(WorkItem item) : IDisposable
    {
        public void Dispose() => item.Stop();
    }
}
