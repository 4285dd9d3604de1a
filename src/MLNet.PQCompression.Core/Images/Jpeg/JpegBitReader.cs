using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Reads the bits of entropy-coded segments. Past a segment's end it gives zeros, which <see cref="CheckOverrun"/> reports.</summary>
internal ref struct JpegBitReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _position;
    private ulong _buffer;
    private int _count;
    private int _padding;

    public JpegBitReader(ReadOnlySpan<byte> data, int position)
    {
        _data = data;
        _position = position;
    }

    /// <summary>Makes at least 32 bits available: a code and its extra bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Ensure()
    {
        if (_count < 32)
            Fill();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Peek(int bits) => (int)(_buffer >> (_count - bits)) & ((1 << bits) - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int bits) => _count -= bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Read(int bits)
    {
        int value = Peek(bits);
        _count -= bits;
        return value;
    }

    /// <summary>Reads one bit, filling first where needed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadBit()
    {
        Ensure();
        return Read(1);
    }

    /// <summary>Reads a Huffman symbol; <see cref="Ensure"/> must have been called.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Symbol(HuffmanTable table)
    {
        int entry = table.Lookup[Peek(HuffmanTable.LookupBits)];
        if (entry == 0)
            entry = table.DecodeLong(Peek(16));
        _count -= entry >> 8;
        return entry & 255;
    }

    /// <summary>Reads a signed value of <paramref name="size"/> &gt; 0 bits (T.81, figure F.12).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Signed(int size)
    {
        int value = Read(size);
        return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }

    /// <summary>Throws where more bits were read than the segment holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void CheckOverrun()
    {
        if (_count < _padding)
            ThrowOverrun();
    }

    /// <summary>Drops the bits at hand and steps over the restart marker <paramref name="number"/>.</summary>
    public void Restart(int number)
    {
        int marker = NextMarker();
        if (_position + 1 >= _data.Length)
            ThrowOverrun();
        if (marker != JpegMarker.RST0 + number)
            throw new InvalidImageException(ImageFault.Malformed, $"JPEG: found the marker FF{marker:X2} where restart {number} (FF{JpegMarker.RST0 + number:X2}) belongs.");
        _position += 2;
    }

    /// <summary>Drops the bits at hand and finds the next marker; returns the position of its FF, or the end of the data.</summary>
    public int End()
    {
        NextMarker();
        return _position;
    }

    private int NextMarker()
    {
        _buffer = 0;
        _count = _padding = 0;
        for (; _position + 1 < _data.Length; _position++)
            if (_data[_position] == 0xFF && _data[_position + 1] is not (0 or 0xFF))
                return _data[_position + 1];
        _position = _data.Length;
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Fill()
    {
        if (_position + 8 <= _data.Length)
        {
            ulong next = BinaryPrimitives.ReadUInt64BigEndian(_data[_position..]);
            if (!HasMarkerByte(next))
            {
                int bytes = (64 - _count) >> 3;
                _buffer = bytes == 8 ? next : _buffer << (8 * bytes) | next >> (64 - 8 * bytes);
                _count += 8 * bytes;
                _position += bytes;
                return;
            }
        }
        while (_count <= 56)
        {
            int value = 0;
            if (_position < _data.Length && _data[_position] != 0xFF)
                value = _data[_position++];
            else if (_position + 1 < _data.Length && _data[_position + 1] == 0)
            {
                value = 0xFF;
                _position += 2;
            }
            else
                _padding += 8;
            _buffer = _buffer << 8 | (uint)value;
            _count += 8;
        }
    }

    /// <summary>Whether a byte is FF: a byte of the complement is zero.</summary>
    private static bool HasMarkerByte(ulong bytes) => ((~bytes - 0x0101010101010101UL) & bytes & 0x8080808080808080UL) != 0;

    private static void ThrowOverrun() =>
        throw new InvalidImageException(ImageFault.Truncated, "JPEG: the entropy-coded data ends before the image does.");
}
