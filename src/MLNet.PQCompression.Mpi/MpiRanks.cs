using System.Text;
using MLNet.PQCompression.Collectives;
using MPI;
using Environment = System.Environment;

namespace MLNet.PQCompression.Mpi;

/// <summary>The processes of an MPI job.</summary>
/// <remarks>A rank that waits sleeps, unlike in the library's own calls, which would take a processor from a rank of the same machine that works. MPI can be started once in the life of a process.</remarks>
public sealed unsafe class MpiRanks : ICollective, IDisposable
{
    private const int Serialized = 2, Tag = 7, PollsBeforeSleep = 200;
    private readonly RankWatch? _watch;
    private bool _isComplete;

    private MpiRanks(Action<string>? log)
    {
        int argc = 0;
        byte** argv = null;
        MpiException.Require(Unsafe.MPI_Init_thread(ref argc, ref argv, Serialized, out _), "MPI_Init_thread");
        MpiException.Require(Unsafe.MPI_Comm_rank(Unsafe.MPI_COMM_WORLD, out int rank), "MPI_Comm_rank");
        MpiException.Require(Unsafe.MPI_Comm_size(Unsafe.MPI_COMM_WORLD, out int size), "MPI_Comm_size");
        (Rank, Size) = (rank, size);
        RankNames = Exchange($"{Environment.ProcessId} {Environment.MachineName}");
        LocalSize = RankNames.Count(n => n[n.IndexOf(' ', StringComparison.Ordinal)..] == $" {Environment.MachineName}");
        _watch = size > 1 ? RankWatch.Start(this, log ?? Console.Error.WriteLine) : null;
        BytesSent = 0;
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <summary>How many of the ranks are on this machine.</summary>
    public int LocalSize { get; }

    /// <inheritdoc/>
    public long BytesSent { get; private set; }

    /// <summary>Of each rank the process and the machine.</summary>
    internal string[] RankNames { get; }

    /// <summary>Joins the job that this process was started in.</summary>
    /// <param name="log">Told of a rank that dies; null for standard error.</param>
    /// <exception cref="MpiUnavailableException">There is no MPI library that fits, or the launcher belongs to another one.</exception>
    /// <exception cref="InvalidOperationException">MPI has been started in this process already.</exception>
    public static MpiRanks Start(Action<string>? log = null)
    {
        MpiLibrary.Load();
        Unsafe.MPI_Initialized(out int isInitialized);
        if (isInitialized != 0)
            throw new InvalidOperationException("MPI has been started in this process already; keep the ranks of the first start.");
        var ranks = new MpiRanks(log);
        foreach ((string variable, string launcher) in (ReadOnlySpan<(string, string)>)[("OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"), ("PMI_SIZE", "another MPI's launcher"), ("SLURM_STEP_NUM_TASKS", "srun")])
            if (ranks.Size == 1 && int.TryParse(Environment.GetEnvironmentVariable(variable), out int expected) && expected > 1)
                throw new MpiUnavailableException($"{launcher} has started {expected} processes, and each sees itself alone: start them with MPICH's mpiexec (mpiexec.mpich), or under Slurm with srun --mpi=pmi2.");
        return ranks;
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> data, int to)
    {
        fixed (byte* pointer = data)
        {
            MpiException.Require(Unsafe.MPI_Isend((nint)pointer, data.Length, Unsafe.MPI_BYTE, to, Tag, Unsafe.MPI_COMM_WORLD, out int request), "MPI_Isend");
            Wait(ref request);
        }
        BytesSent += data.Length;
    }

    /// <inheritdoc/>
    public void Receive(Span<byte> data, int from)
    {
        fixed (byte* pointer = data)
        {
            MpiException.Require(Unsafe.MPI_Irecv((nint)pointer, data.Length, Unsafe.MPI_BYTE, from, Tag, Unsafe.MPI_COMM_WORLD, out int request), "MPI_Irecv");
            Wait(ref request);
        }
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> data, int from)
    {
        // A binomial tree, ranks counted from the one that has the data.
        int own = (Rank - from + Size) % Size, step = 1;
        for (; step < Size && (own & step) == 0; step *= 2)
            continue;
        if (own != 0)
            Receive(data, (own - step + from) % Size);
        for (step /= 2; step > 0; step /= 2)
            if (own + step < Size)
                Send(data, (own + step + from) % Size);
    }

    /// <inheritdoc/>
    public void Barrier()
    {
        Span<byte> nothing = stackalloc byte[1];
        for (int rank = 1; rank < Size && Rank == 0; rank++)
            Receive(nothing, rank);
        if (Rank != 0)
            Send(nothing, 0);
        Broadcast(nothing, 0);
    }

    /// <summary>Gives all ranks a text of each.</summary>
    /// <param name="own">This rank's.</param>
    /// <returns>The texts, by rank.</returns>
    public string[] Exchange(string own)
    {
        var texts = new string[Size];
        var length = new byte[4];
        for (int rank = 0; rank < Size; rank++)
        {
            byte[] text = rank == Rank ? Encoding.UTF8.GetBytes(own) : [];
            BitConverter.TryWriteBytes(length, text.Length);
            Broadcast(length, rank);
            if (rank != Rank)
                text = new byte[BitConverter.ToInt32(length)];
            Broadcast(text, rank);
            texts[rank] = Encoding.UTF8.GetString(text);
        }
        return texts;
    }

    /// <summary>Tells the others that this rank's part is done well. Without it the end of this process ends the job as a failure.</summary>
    public void Complete()
    {
        Barrier();
        _watch?.Leave(isWell: true);
        _isComplete = true;
    }

    /// <summary>Tells the others that this rank has failed, so that they end and do not take it for dead. Say why before, and end the process then.</summary>
    public void Fail() => _watch?.Leave(isWell: false);

    /// <summary>Ends MPI where <see cref="Complete"/> was called; else the launcher ends the job with this process.</summary>
    public void Dispose()
    {
        _watch?.Dispose();
        if (_isComplete)
            Unsafe.MPI_Finalize();
        _isComplete = false;
    }

    private static void Wait(ref int request)
    {
        for (int polls = 0; ; polls++)
        {
            MpiException.Require(Unsafe.MPI_Test(ref request, out int isDone, out _), "MPI_Test");
            if (isDone != 0)
                return;
            if (polls < PollsBeforeSleep)
                Thread.Yield();
            else
                Thread.Sleep(polls < 10 * PollsBeforeSleep ? 0 : 1);
        }
    }
}
