using System.Diagnostics;

namespace MLNet.PQCompression.Numerics;

/// <summary>A fixed number of threads that share one loop at a time. Results never depend on the number of threads, only on the parts.</summary>
/// <remarks>
/// One loop runs at a time; a second caller waits its turn. A loop started from inside a loop runs on the calling thread. Between loops the
/// threads spin for a fifth of a millisecond, longer than a part of a network takes, before they sleep, so that short loops in a row start at once; a loop
/// allocates nothing.
/// </remarks>
public sealed class WorkerPool : IDisposable
{
    /// <summary>The state while a loop is being set up: no thread's generation.</summary>
    private const long Closed = -1;

    private static readonly long SpinTicks = Stopwatch.Frequency / 5_000;

    [ThreadStatic]
    private static bool _insideLoop;

    [ThreadStatic]
    private static int _worker;

    private readonly Thread[] _threads;
    private readonly Lock _turn = new();
    private readonly object _gate = new();
    private volatile bool _stopping;
    private volatile Exception? _failure;
    private Action<int>? _body;
    private Action<int, int>? _indexedBody;
    private int _generation;
    private int _parts;
    private int _completed;
    private int _sleepers;
    private bool _callerSleeps;

    /// <summary>The loop's generation in the high half, the next part to claim in the low half.</summary>
    private long _state;

    /// <summary>Starts <paramref name="threads"/> − 1 background threads; the caller of a loop is the last one.</summary>
    /// <param name="threads">Threads in all, or 0 for one for each processor.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public WorkerPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        _threads = new Thread[Threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"pq-worker-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>The number of threads that work on a loop, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Runs <paramref name="body"/> for every part in [0, parts), in any order, and returns when all have ended.</summary>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    /// <exception cref="AggregateException">A part threw; the others still ran or were left out. A loop without helpers throws the part's own exception.</exception>
    public void Run(int parts, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Run(parts, body, null);
    }

    /// <summary>The same with the number of the thread, in [0, Threads), as the body's second argument; two parts that run at once never share it.</summary>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    /// <exception cref="AggregateException">A part threw; the others still ran or were left out. A loop without helpers throws the part's own exception.</exception>
    public void Run(int parts, Action<int, int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Run(parts, null, body);
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        foreach (Thread thread in _threads)
            thread.Join();
    }

    private void Run(int parts, Action<int>? body, Action<int, int>? indexedBody)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (parts <= 0)
            return;
        if (_insideLoop)
        {
            for (int part = 0; part < parts; part++)
                Invoke(body, indexedBody, part, _worker);
            return;
        }
        if (_threads.Length == 0 || parts == 1)
        {
            RunAlone(parts, body, indexedBody);
            return;
        }
        lock (_turn)
            RunShared(parts, body, indexedBody);
    }

    private static void RunAlone(int parts, Action<int>? body, Action<int, int>? indexedBody)
    {
        for (int part = 0; part < parts; part++)
            Invoke(body, indexedBody, part, 0);
    }

    private static void Invoke(Action<int>? body, Action<int, int>? indexedBody, int part, int worker)
    {
        if (body is not null)
            body(part);
        else
            indexedBody!(part, worker);
    }

    private void RunShared(int parts, Action<int>? body, Action<int, int>? indexedBody)
    {
        Volatile.Write(ref _state, Closed);
        _body = body;
        _indexedBody = indexedBody;
        _failure = null;
        _parts = parts;
        _completed = 0;
        _generation = (_generation + 1) & int.MaxValue;
        Interlocked.Exchange(ref _state, (long)_generation << 32);
        if (Volatile.Read(ref _sleepers) > 0)
            lock (_gate)
                Monitor.PulseAll(_gate);
        Share(_generation, 0);
        AwaitCompletion(parts);
        _body = null;
        _indexedBody = null;
        if (_failure is { } failure)
            throw new AggregateException(failure);
    }

    private void AwaitCompletion(int parts)
    {
        long deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (Volatile.Read(ref _completed) < parts)
        {
            if (Stopwatch.GetTimestamp() < deadline)
            {
                Thread.SpinWait(4);
                continue;
            }
            lock (_gate)
            {
                _callerSleeps = true;
                while (Volatile.Read(ref _completed) < parts)
                    Monitor.Wait(_gate);
                _callerSleeps = false;
            }
        }
    }

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            seen = AwaitGeneration(seen);
            if (_stopping)
                return;
            Share(seen, worker);
        }
    }

    private int AwaitGeneration(int seen)
    {
        long deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (!_stopping)
        {
            if (IsNew(seen, out int generation))
                return generation;
            if (Stopwatch.GetTimestamp() < deadline)
            {
                Thread.SpinWait(4);
                continue;
            }
            lock (_gate)
            {
                Interlocked.Increment(ref _sleepers);
                while (!_stopping && !IsNew(seen, out _))
                    Monitor.Wait(_gate);
                Interlocked.Decrement(ref _sleepers);
            }
        }
        return seen;
    }

    private bool IsNew(int seen, out int generation)
    {
        long state = Volatile.Read(ref _state);
        generation = (int)(state >> 32);
        return state != Closed && generation != seen;
    }

    /// <summary>Claims and runs parts of one generation until none is left; a thread that comes late finds another generation and leaves.</summary>
    private void Share(int generation, int worker)
    {
        _insideLoop = true;
        _worker = worker;
        while (true)
        {
            long state = Volatile.Read(ref _state);
            if (state == Closed || (int)(state >> 32) != generation || (int)state >= _parts)
                break;
            if (Interlocked.CompareExchange(ref _state, state + 1, state) != state)
                continue;
            int parts = _parts;
            try
            {
                if (_failure is null)
                    Invoke(_body, _indexedBody, (int)state, worker);
            }
            catch (Exception e)
            {
                _failure = e;
            }
            if (Interlocked.Increment(ref _completed) == parts && worker != 0)
                WakeCaller();
        }
        _insideLoop = false;
    }

    private void WakeCaller()
    {
        lock (_gate)
            if (_callerSleeps)
                Monitor.PulseAll(_gate);
    }
}
