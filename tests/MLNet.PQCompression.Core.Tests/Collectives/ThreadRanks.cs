using System.Collections.Concurrent;
using MLNet.PQCompression.Collectives;

namespace MLNet.PQCompression.Tests.Collectives;

/// <summary>Ranks that are threads of this process.</summary>
internal static class ThreadRanks
{
    /// <summary>Runs something on every rank; where one fails the others end, and its exception comes out.</summary>
    /// <returns>What each rank gave, and the bytes that all have sent.</returns>
    public static (T[] Results, long BytesSent) Run<T>(int size, Func<ICollective, T> work)
    {
        using var failed = new CancellationTokenSource();
        var mail = new BlockingCollection<byte[]>[size, size];
        for (int i = 0; i < size * size; i++)
            mail[i / size, i % size] = [];
        ThreadRank[] ranks = [.. Enumerable.Range(0, size).Select(rank => new ThreadRank(rank, size, mail, failed.Token))];
        var results = new T[size];
        Exception? first = null;
        Thread[] threads = [.. ranks.Select(rank => new Thread(() =>
        {
            try
            {
                results[rank.Rank] = work(rank);
            }
            catch (Exception e)
            {
                if (Interlocked.CompareExchange(ref first, e, null) is null)
                    failed.Cancel();
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        if (first is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
        Assert.All(mail.Cast<BlockingCollection<byte[]>>(), box => Assert.Empty(box));
        return (results, ranks.Sum(r => r.BytesSent));
    }

    private sealed class ThreadRank(int rank, int size, BlockingCollection<byte[]>[,] mail, CancellationToken failed) : ICollective
    {
        public int Rank => rank;

        public int Size => size;

        public long BytesSent { get; private set; }

        public void Send(ReadOnlySpan<byte> data, int to)
        {
            Assert.NotEqual(rank, to);
            mail[rank, to].Add(data.ToArray(), CancellationToken.None);
            BytesSent += data.Length;
        }

        public void Receive(Span<byte> data, int from)
        {
            byte[] received = mail[from, rank].Take(failed);
            Assert.Equal(data.Length, received.Length);
            received.CopyTo(data);
        }

        public void Broadcast(Span<byte> data, int from)
        {
            for (int other = 0; other < size && rank == from; other++)
                if (other != rank)
                    Send(data, other);
            if (rank != from)
                Receive(data, from);
        }

        public void Barrier()
        {
            Span<byte> nothing = stackalloc byte[1];
            for (int from = 0; from < size; from++)
                Broadcast(nothing, from);
        }
    }
}
