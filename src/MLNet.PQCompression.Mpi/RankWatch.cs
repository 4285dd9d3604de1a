using System.Net;
using System.Net.Sockets;

namespace MLNet.PQCompression.Mpi;

/// <summary>
/// Names the rank that dies. A launcher ends the job then, but tells a process and not a rank. So each rank holds a connection to rank 0, which the system closes when a process ends however it does.
/// </summary>
internal sealed class RankWatch : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Done = "done"u8.ToArray(), Failed = "failed"u8.ToArray();
    private readonly MpiRanks _ranks;
    private readonly Action<string> _log;
    private readonly List<Socket> _sockets = [];
    private volatile bool _isOver;

    private RankWatch(MpiRanks ranks, Action<string> log) => (_ranks, _log) = (ranks, log);

    /// <summary>Connects the ranks; null where rank 0 cannot be reached by TCP from all of them.</summary>
    public static RankWatch? Start(MpiRanks ranks, Action<string> log)
    {
        var watch = new RankWatch(ranks, log);
        bool isConnected = ranks.Rank == 0 ? watch.Accept() : watch.Connect();
        if (ranks.Exchange(isConnected ? "yes" : "no").All(answer => answer == "yes"))
            return watch;
        if (ranks.Rank == 0)
            log("mpi: rank 0 cannot be reached by TCP from all ranks; where one dies, the launcher tells its process only");
        watch._isOver = true;
        ranks.Barrier(); // No connection is closed before all know that it means nothing.
        watch.Dispose();
        return null;
    }

    /// <summary>Tells the others that this rank's end is no death.</summary>
    /// <param name="isWell">Whether its part is done; else it has failed, and the others end too.</param>
    public void Leave(bool isWell)
    {
        _isOver = true;
        foreach (Socket socket in _sockets)
            try
            {
                socket.Send(isWell ? Done : Failed);
            }
            catch (SocketException)
            {
                // The other has ended already.
            }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        foreach (Socket socket in _sockets)
            socket.Dispose();
    }

    private bool Accept()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        listener.Listen(_ranks.Size);
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _ranks.Exchange($"{port} {string.Join(' ', Addresses())}");
        for (int i = 1; i < _ranks.Size; i++)
        {
            if (!listener.Poll(Patience, SelectMode.SelectRead))
                return false;
            Socket socket = listener.Accept();
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            var rank = new byte[4];
            if (socket.Receive(rank) != rank.Length)
                return false;
            socket.ReceiveTimeout = 0;
            Follow(socket, BitConverter.ToInt32(rank));
        }
        return true;
    }

    private bool Connect()
    {
        string[] parts = _ranks.Exchange("")[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool isHere = _ranks.RankNames[0].EndsWith($" {Environment.MachineName}", StringComparison.Ordinal);
        foreach (string address in isHere ? ["127.0.0.1", .. parts[1..]] : parts[1..])
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                if (!socket.ConnectAsync(IPAddress.Parse(address), int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture)).Wait(Patience))
                    throw new SocketException((int)SocketError.TimedOut);
                socket.Send(BitConverter.GetBytes(_ranks.Rank));
                Follow(socket, 0);
                return true;
            }
            catch (Exception e) when (e is SocketException or AggregateException)
            {
                socket.Dispose();
            }
        }
        return false;
    }

    private static IEnumerable<string> Addresses()
    {
        try
        {
            return [.. Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork).Where(a => !IPAddress.IsLoopback(a)).Select(a => a.ToString())];
        }
        catch (SocketException)
        {
            return []; // The machine's own name has no address: ranks of this machine are reached all the same.
        }
    }

    /// <summary>Waits, on a thread of its own so that nothing delays it, for the other rank's end.</summary>
    private void Follow(Socket socket, int rank)
    {
        _sockets.Add(socket);
        new Thread(() =>
        {
            var data = new byte[64];
            try
            {
                if (socket.Receive(data) is > 0 and var length)
                {
                    if (!data.AsSpan(0, length).SequenceEqual(Done))
                        End(); // It has failed, and says so itself.
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Closed without a word, or by this rank.
            }
            if (_isOver)
                return;
            string[] name = _ranks.RankNames[rank].Split(' ', 2);
            // One message does: rank 0's, or where it died that of rank 1.
            if (_ranks.Rank == (rank == 0 ? 1 : 0))
                _log($"error: rank {rank} of {_ranks.Size} (process {name[0]} on {name[1]}) has died, and the job ends. The same command with --checkpoint goes on from the last layer or epoch, with any number of ranks.");
            End();
        })
        { IsBackground = true, Priority = ThreadPriority.AboveNormal }.Start();
    }

    /// <summary>Ends this process and so the job, if the launcher has not by now.</summary>
    private void End()
    {
        if (_isOver)
            return;
        Leave(isWell: false);
        Environment.Exit(1);
    }
}
