namespace MLNet.PQCompression.Collectives;

/// <summary>The processes, or ranks, that do one piece of work together, as one of them sees the others.</summary>
/// <remarks>
/// Every rank makes the same calls in the same order. What a rank sends to another arrives whole and in order. A call waits until its part is done; where another rank has failed it throws, or the
/// launcher ends the process. Sums are made above this interface, along a fixed tree of parts, so that their order is not an implementation's to choose. One thread may use it at a time.
/// </remarks>
public interface ICollective
{
    /// <summary>This process's number, from 0.</summary>
    int Rank { get; }

    /// <summary>How many ranks there are, 1 or more.</summary>
    int Size { get; }

    /// <summary>Payload bytes that this rank has sent so far: to one rank, or in a broadcast of its own to each of the others.</summary>
    long BytesSent { get; }

    /// <summary>Sends bytes to another rank.</summary>
    /// <param name="data">The bytes; they may be changed after the call.</param>
    /// <param name="to">The rank that receives them, not this one.</param>
    void Send(ReadOnlySpan<byte> data, int to);

    /// <summary>Receives what another rank sends with one <see cref="Send"/> of the same length.</summary>
    /// <param name="data">Receives the bytes.</param>
    /// <param name="from">The rank that sends them, not this one.</param>
    void Receive(Span<byte> data, int from);

    /// <summary>Gives all ranks the bytes of one.</summary>
    /// <param name="data">Read on the rank that has them, written on the others; of one length on all.</param>
    /// <param name="from">The rank that has them.</param>
    void Broadcast(Span<byte> data, int from);

    /// <summary>Waits until all ranks are here.</summary>
    void Barrier();
}
