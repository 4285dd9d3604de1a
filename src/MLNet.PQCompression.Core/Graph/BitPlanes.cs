using System.Buffers.Binary;

namespace MLNet.PQCompression.Graph;

/// <summary>Codes above 8 bits as files hold them: the low bytes, and the other bits in planes, a byte of each plane for eight codes, lowest code first.</summary>
internal sealed class BitPlanes
{
    /// <summary>The most planes.</summary>
    public const int MaxPlanes = 8;

    private const ulong Ones = 0x0101010101010101, OneOfEach = 0x8040201008040201;

    private readonly ReadOnlyMemory<byte> _low, _planes;
    private readonly ushort[] _sums;
    private readonly int _count;

    /// <summary>Wraps codes without copying them.</summary>
    /// <param name="low">A byte for each code; their number is a multiple of 8.</param>
    /// <param name="planes">[codes/8, planes].</param>
    /// <param name="weights">What a bit of each of at most 8 planes adds to a code; with 255 the sum fits 16 bits.</param>
    public BitPlanes(ReadOnlyMemory<byte> low, ReadOnlyMemory<byte> planes, long[] weights)
    {
        (_low, _planes, _count) = (low, planes, weights.Length);
        _sums = new ushort[1 << weights.Length];
        for (int i = 0; i < _sums.Length; i++)
            for (int p = 0; p < weights.Length; p++)
                _sums[i] += (ushort)((i >> p & 1) * weights[p]);
    }

    /// <summary>The number of codes.</summary>
    public int Count => _low.Length;

    /// <summary>code[i] = low[i] + Σₚ weights[p]·(bit i mod 8 of planes[i/8, p]), for the codes from <paramref name="first"/> on.</summary>
    public void Unpack(int first, Span<ushort> codes)
    {
        ReadOnlySpan<byte> low = _low.Span, planes = _planes.Span;
        for (int done = 0; done < codes.Length;)
        {
            int group = (first + done) / 8, lane = (first + done) % 8;
            ulong high = 0, bytes = BinaryPrimitives.ReadUInt64LittleEndian(low[(group * 8)..]) >> (8 * lane);
            for (int p = 0; p < _count; p++)
                high |= Spread(planes[group * _count + p]) << p;
            high >>= 8 * lane;
            for (; lane < 8 && done < codes.Length; lane++, bytes >>= 8, high >>= 8)
                codes[done++] = (ushort)((byte)bytes + _sums[(byte)high]);
        }
    }

    /// <summary>Bit i of a byte as the lowest bit of byte i.</summary>
    private static ulong Spread(byte bits) => ((bits * Ones & OneOfEach) + 0x7F * Ones) >> 7 & Ones;
}
