namespace MLNet.PQCompression.Compression;

/// <summary>Tells how long the rest of some work takes: what is left of each kind, at the speed at which that kind has gone so far.</summary>
/// <param name="progress">Told where the work stands, or null.</param>
/// <param name="clock">What measures; null for the system's.</param>
internal sealed class WorkMeter(IProgress<CompressionProgress>? progress = null, TimeProvider? clock = null)
{
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly WorkSpeed _speed = new();
    private Work _planned;
    private WorkItem? _current;
    private long _last = (clock ?? TimeProvider.System).GetTimestamp();
    private double _fraction;

    /// <summary>Work that follows what is planned.</summary>
    public Work Ahead { get; set; }

    /// <summary>The time that what is left will take.</summary>
    public TimeSpan Remaining
    {
        get
        {
            Work left = _planned + Ahead;
            return TimeSpan.FromSeconds(_current is { } item ? _speed.SecondsOf(left - item.Work) + item.SecondsLeft(_speed) : _speed.SecondsOf(left));
        }
    }

    /// <summary>How far the work is, 0 to 1. It goes on by the share that the time since it was last asked for has of that and what remains, so it never falls, nor stands still where less was expected before.</summary>
    public double Fraction
    {
        get
        {
            long now = _clock.GetTimestamp();
            double passed = _clock.GetElapsedTime(_last, now).TotalSeconds, remaining = Remaining.TotalSeconds;
            _last = now;
            return _fraction += (1 - _fraction) * (remaining <= 0 ? 1 : passed / (passed + remaining));
        }
    }

    /// <summary>Says anew what is to be done now, in place of what was planned before.</summary>
    public void Plan(Work work) => _planned = work;

    /// <summary>Begins a part of what is planned; it is done when it is disposed of.</summary>
    /// <param name="work">What it consists of.</param>
    /// <param name="layer">The layer that it is about, or null.</param>
    public WorkItem Begin(Work work, string? layer = null) => _current = new(work, _clock, this, layer);

    /// <summary>Does a part that is of one kind.</summary>
    public T Do<T>(WorkKind kind, Work work, Func<WorkItem, T> part, string? detail = null)
    {
        using WorkItem item = Begin(work);
        using (item.Time(kind, detail))
            return part(item);
    }

    /// <summary>Tells where the work stands.</summary>
    public void Tell(string stage, string? layer = null, string? detail = null) => progress?.Report(new(stage, layer, Fraction, detail, Remaining));

    /// <summary>Learns from a part that is done.</summary>
    public void Finish(WorkItem item)
    {
        for (WorkKind kind = 0; (int)kind < Work.Kinds; kind++)
            _speed.Add(kind, item.Work[kind], item.SecondsOf(kind));
        _planned -= item.Work;
        _current = null;
    }
}
