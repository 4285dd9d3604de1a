namespace MLNet.PQCompression.Numerics;

/// <summary>A fixed number of threads that share one loop at a time. Results never depend on the number of threads, only on the parts.</summary>
/// <remarks>One loop runs at a time; a second caller waits its turn. A loop started from inside a loop runs on the calling thread.</remarks>
public sealed class WorkerPool : IDisposable
{
    [ThreadStatic]
    private static bool t_insideLoop;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _turn = new();
    private readonly CountdownEvent _finished = new(1);
    private volatile bool _stopping;
    private Action<int>? _body;
    private Exception? _failure;
    private int _parts;
    private int _next;

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
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"pq-worker-{i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>The number of threads that work on a loop, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Runs <paramref name="body"/> for every part in [0, parts), in any order, and returns when all have ended.</summary>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    /// <exception cref="AggregateException">A part threw; the others still ran or were left out.</exception>
    public void Run(int parts, Action<int> body)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        ArgumentNullException.ThrowIfNull(body);
        if (t_insideLoop || parts <= 1 || _threads.Length == 0)
        {
            for (int i = 0; i < parts; i++)
                body(i);
            return;
        }
        lock (_turn)
        {
            int helpers = Math.Min(_threads.Length, parts - 1);
            _body = body;
            _failure = null;
            _parts = parts;
            _next = 0;
            _finished.Reset(helpers);
            _wake.Release(helpers);
            Share();
            _finished.Wait();
            _body = null;
            if (_failure is { } failure)
                throw new AggregateException(failure);
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        if (_threads.Length > 0)
            _wake.Release(_threads.Length);
        foreach (Thread thread in _threads)
            thread.Join();
        _wake.Dispose();
        _finished.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            _wake.Wait();
            if (_stopping)
                return;
            Share();
            _finished.Signal();
        }
    }

    private void Share()
    {
        t_insideLoop = true;
        try
        {
            int part;
            while (_failure is null && (part = Interlocked.Increment(ref _next) - 1) < _parts)
                _body!(part);
        }
        catch (Exception e)
        {
            _failure = e;
        }
        finally
        {
            t_insideLoop = false;
        }
    }
}
