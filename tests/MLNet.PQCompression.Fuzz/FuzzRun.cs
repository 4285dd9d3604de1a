using System.Diagnostics;

namespace MLNet.PQCompression.Fuzz;

/// <summary>What is demanded of one execution.</summary>
public static class FuzzLimits
{
    /// <summary>Processor time.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(1);

    /// <summary>Bytes that may be allocated, in all and not at once: 64 times the file and 64 MiB.</summary>
    public static long Bytes(int fileLength) => 64L * fileLength + (64 << 20);
}

/// <summary>A file that broke a demand.</summary>
/// <param name="Target">The reader.</param>
/// <param name="Index">The execution, from which the file can be made again.</param>
/// <param name="File">The file.</param>
/// <param name="What">What happened.</param>
public sealed record Finding(string Target, long Index, byte[] File, string What)
{
    /// <summary>Whether it broke no demand but that of time.</summary>
    public bool IsSlow { get; init; }

    /// <summary>What happened and where, by which findings are told apart.</summary>
    public string Key => string.Join('\n', What.Split('\n').Where(l => !l.Contains("System.", StringComparison.Ordinal) || !l.TrimStart().StartsWith("at ", StringComparison.Ordinal)).Take(3));
}

/// <summary>Executions of one target. Execution i depends on the seed and i only.</summary>
/// <param name="target">The reader.</param>
/// <param name="seed">Whatever random numbers begin with.</param>
public sealed class FuzzRun(IFuzzTarget target, int seed)
{
    private readonly long[] _outcomes = new long[3];

    /// <summary>The reader.</summary>
    public IFuzzTarget Target { get; } = target;

    /// <summary>The execution that comes next, or runs now.</summary>
    public long Next { get; set; }

    /// <summary>The file of the execution that runs now.</summary>
    public byte[]? Current { get; private set; }

    /// <summary>Executions made.</summary>
    public long Count => _outcomes.Sum() + Failures;

    /// <summary>Executions that broke a demand.</summary>
    public long Failures { get; private set; }

    /// <summary>The longest processor time of an execution that took more than a tenth of a second.</summary>
    public TimeSpan Longest { get; private set; }

    /// <summary>The most bytes that an execution allocated.</summary>
    public long MostBytes { get; private set; }

    /// <summary>Executions that came as far as that.</summary>
    public long this[Outcome outcome] => _outcomes[(int)outcome];

    /// <summary>The file of an execution.</summary>
    public byte[] Make(long index) => Target.Make(new Random(unchecked((int)(index * 0x9E3779B1 + seed * 0x85EBCA6BL) ^ (int)(index >> 32))));

    /// <summary>Runs the next execution.</summary>
    /// <returns>What is wrong, or null.</returns>
    public Finding? Step()
    {
        byte[] file = Current = Make(Next);
        long start = Stopwatch.GetTimestamp(), bytes = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        string? wrong = null;
        Outcome outcome = Outcome.Refused;
        try
        {
            outcome = Target.Run(file);
        }
        catch (Exception e) when (Target.IsDocumented(e))
        {
        }
        catch (Exception e)
        {
            wrong = e.ToString();
        }
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        MostBytes = Math.Max(MostBytes, bytes);
        if (bytes > FuzzLimits.Bytes(file.Length))
            wrong ??= $"{bytes} bytes were allocated for a file of {file.Length}";
        TimeSpan time = Stopwatch.GetElapsedTime(start) > FuzzLimits.Time / 10 ? Environment.CpuUsage.TotalTime - processor : TimeSpan.Zero;
        Longest = time > Longest ? time : Longest;
        bool slow = wrong is null && time > FuzzLimits.Time;
        if (slow)
            wrong = $"{time.TotalSeconds:F2} s of processor time";
        long index = Next++;
        Current = null;
        if (wrong is null)
        {
            _outcomes[(int)outcome]++;
            return null;
        }
        Failures++;
        return new(Target.Name, index, file, wrong) { IsSlow = slow };
    }
}
