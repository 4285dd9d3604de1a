using System.Runtime.InteropServices;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>Float32 values outside the managed heap, aligned to the 64 bytes of a cache line and of the widest vector.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    private float* _data;

    /// <summary>Allocates uninitialised room for <paramref name="length"/> values.</summary>
    public AlignedBuffer(long length)
    {
        Length = length;
        long bytes = checked(Math.Max(length, 1) * sizeof(float));
        _data = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        GC.AddMemoryPressure(bytes);
    }

    ~AlignedBuffer() => Free();

    /// <summary>Values that fit.</summary>
    public long Length { get; }

    /// <summary>The first value.</summary>
    public float* Pointer => _data is null ? throw new ObjectDisposedException(nameof(AlignedBuffer)) : _data;

    /// <summary>The first <paramref name="length"/> values.</summary>
    public Span<float> Span(long length) => new(Pointer, checked((int)length));

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_data is null)
            return;
        NativeMemory.AlignedFree(_data);
        _data = null;
        GC.RemoveMemoryPressure(Math.Max(Length, 1) * sizeof(float));
    }
}
