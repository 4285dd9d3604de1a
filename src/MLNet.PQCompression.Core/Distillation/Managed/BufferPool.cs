namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>Lends buffers and takes them back, so that a step allocates nothing once the first has run. Safe for several threads.</summary>
internal sealed class BufferPool : IDisposable
{
    private readonly Dictionary<long, Stack<AlignedBuffer>> _free = [];
    private readonly Lock _lock = new();
    private long _bytes;

    /// <summary>Bytes allocated so far, lent or not: the high-water mark of the pool.</summary>
    public long AllocatedBytes => Interlocked.Read(ref _bytes);

    /// <summary>Lends a buffer for at least <paramref name="length"/> values; what it holds is undefined.</summary>
    public AlignedBuffer Rent(long length)
    {
        long size = SizeClass(length);
        lock (_lock)
            if (_free.TryGetValue(size, out Stack<AlignedBuffer>? stack) && stack.TryPop(out AlignedBuffer? buffer))
                return buffer;
        Interlocked.Add(ref _bytes, size * sizeof(float));
        return new AlignedBuffer(size);
    }

    /// <summary>Takes a buffer back.</summary>
    public void Return(AlignedBuffer buffer)
    {
        lock (_lock)
        {
            if (!_free.TryGetValue(buffer.Length, out Stack<AlignedBuffer>? stack))
                _free[buffer.Length] = stack = new();
            stack.Push(buffer);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (AlignedBuffer buffer in _free.Values.SelectMany(s => s))
                buffer.Dispose();
            _free.Clear();
        }
    }

    // Sixteen classes between powers of two waste at most a sixteenth and let layers of nearly equal size share.
    private static long SizeClass(long length)
    {
        length = Math.Max(length, 1024);
        long step = Math.Max(16, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)length) / 32);
        return (length + step - 1) / step * step;
    }
}
