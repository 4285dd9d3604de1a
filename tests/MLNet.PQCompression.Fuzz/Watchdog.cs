using System.IO.MemoryMappedFiles;

namespace MLNet.PQCompression.Fuzz;

/// <summary>
/// Notes in a file which execution runs, so that a process that dies leaves its number behind, and ends the process where an execution never does.
/// </summary>
public sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private FuzzRun? _run;
    private long _index = -1;
    private TimeSpan _since;

    /// <summary>Opens or makes the file.</summary>
    public Watchdog(string path, Action<FuzzRun> hangs)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, sizeof(long));
        _view = _file.CreateViewAccessor(0, sizeof(long));
        Died = _view.ReadInt64(0) - 1;
        _timer = new(_ => Look(hangs), null, Patience / 4, Patience / 4);
    }

    /// <summary>The execution that the last process died in, or -1.</summary>
    public long Died { get; }

    /// <summary>Notes the next execution of a run.</summary>
    public void Watch(FuzzRun run)
    {
        _run = run;
        _view.Write(0, run.Next + 1);
    }

    /// <summary>Notes that the process ends of its own will.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _view.Write(0, 0L);
        _view.Dispose();
        _file.Dispose();
    }

    private void Look(Action<FuzzRun> hangs)
    {
        lock (_lock)
        {
            TimeSpan now = Environment.CpuUsage.TotalTime;
            if (_run is not { } run || run.Next != _index)
                (_index, _since) = (_run?.Next ?? -1, now);
            else if (now - _since > Patience)
                hangs(run);
        }
    }
}
