namespace MLNet.PQCompression.Graph;

/// <summary>The codes of a quantized tensor as they came: of 16 bits, or bytes that may be a part of a file and are widened only for those who ask.</summary>
internal sealed class BlockCodes
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private ushort[]? _wide;

    /// <summary>Codes of 16 bits.</summary>
    public BlockCodes(ushort[] codes) => (_wide, Count) = (codes, codes.Length);

    /// <summary>Codes of a byte each.</summary>
    public BlockCodes(ReadOnlyMemory<byte> codes) => (_bytes, Count) = (codes, codes.Length);

    /// <summary>The number of codes.</summary>
    public int Count { get; }

    /// <summary>The codes where they are bytes; otherwise empty.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Span;

    /// <summary>The codes as 16 bits each.</summary>
    public ReadOnlySpan<ushort> Wide => _wide ??= Widened();

    /// <summary>The first code that is not below <paramref name="codewords"/>, or -1.</summary>
    public int FirstOutside(int codewords)
    {
        if (codewords > (_bytes.IsEmpty ? ushort.MaxValue : byte.MaxValue))
            return -1;
        foreach (byte code in Bytes)
            if (code >= codewords)
                return code;
        if (_bytes.IsEmpty)
            foreach (ushort code in Wide)
                if (code >= codewords)
                    return code;
        return -1;
    }

    private ushort[] Widened()
    {
        var wide = new ushort[Count];
        ReadOnlySpan<byte> bytes = Bytes;
        for (int i = 0; i < wide.Length; i++)
            wide[i] = bytes[i];
        return wide;
    }
}
