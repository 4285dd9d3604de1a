namespace MLNet.PQCompression.Graph;

/// <summary>The codes of a quantized tensor as they came: of 16 bits, or as a part of a file, in bytes or bit planes, that is widened only for those who ask.</summary>
internal sealed class BlockCodes
{
    private const int Portion = 1024;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly BitPlanes? _planes;
    private ushort[]? _wide;
    private int _bound = ushort.MaxValue + 1;

    /// <summary>Codes of 16 bits.</summary>
    public BlockCodes(ushort[] codes) => (_wide, Count) = (codes, codes.Length);

    /// <summary>Codes of a byte each.</summary>
    public BlockCodes(ReadOnlyMemory<byte> codes) => (_bytes, Count, _bound) = (codes, codes.Length, byte.MaxValue + 1);

    /// <summary>Codes in bit planes.</summary>
    public BlockCodes(BitPlanes codes) => (_planes, Count) = (codes, codes.Count);

    /// <summary>The number of codes.</summary>
    public int Count { get; }

    /// <summary>The codes where they are bytes; otherwise empty.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Span;

    /// <summary>The codes as 16 bits each.</summary>
    public ReadOnlySpan<ushort> Wide => _wide ??= Widened();

    /// <summary>Some of the codes, from <paramref name="first"/> on, as 16 bits each.</summary>
    public void CopyTo(int first, Span<ushort> codes)
    {
        if (_wide is not null)
            _wide.AsSpan(first, codes.Length).CopyTo(codes);
        else if (_planes is not null)
            _planes.Unpack(first, codes);
        else
            for (int i = 0; i < codes.Length; i++)
                codes[i] = _bytes.Span[first + i];
    }

    /// <summary>The first code that is not below <paramref name="codewords"/>, or -1.</summary>
    public int FirstOutside(int codewords)
    {
        if (codewords >= _bound)
            return -1;
        Span<ushort> codes = stackalloc ushort[Portion];
        foreach (byte code in Bytes)
            if (code >= codewords)
                return code;
        for (int i = _bytes.Length; i < Count; i += Portion)
        {
            codes = codes[..Math.Min(Portion, Count - i)];
            CopyTo(i, codes);
            foreach (ushort code in codes)
                if (code >= codewords)
                    return code;
        }
        _bound = codewords;
        return -1;
    }

    private ushort[] Widened()
    {
        var wide = new ushort[Count];
        CopyTo(0, wide);
        return wide;
    }
}
