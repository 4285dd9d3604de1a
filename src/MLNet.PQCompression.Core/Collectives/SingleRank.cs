namespace MLNet.PQCompression.Collectives;

/// <summary>A rank that is alone.</summary>
/// <remarks>Work that is given it is cut into the same parts as work of many ranks, so that the result is theirs, byte for byte.</remarks>
public sealed class SingleRank : ICollective
{
    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Size => 1;

    /// <inheritdoc/>
    public long BytesSent => 0;

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> data, int to) => throw new InvalidOperationException("There is no other rank to send to.");

    /// <inheritdoc/>
    public void Receive(Span<byte> data, int from) => throw new InvalidOperationException("There is no other rank to receive from.");

    /// <inheritdoc/>
    public void Broadcast(Span<byte> data, int from) { }

    /// <inheritdoc/>
    public void Barrier() { }
}
