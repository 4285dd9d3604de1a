namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>A canonical Huffman code of a JPEG stream, with tables indexed by the next nine bits.</summary>
internal sealed class HuffmanTable
{
    /// <summary>How many bits the look-up tables cover.</summary>
    public const int LookupBits = 9;

    private readonly byte[] _symbols;
    private readonly int[] _offset = new int[17];

    /// <summary>Length · 256 + symbol of each code of at most nine bits, by the next nine bits; 0 where the code is longer.</summary>
    public readonly ushort[] Lookup = new ushort[1 << LookupBits];

    /// <summary>Coefficient · 256 + run · 16 + bits, where a code and its coefficient fit nine bits together; else 0.</summary>
    public readonly short[] Coefficients = new short[1 << LookupBits];

    /// <summary>One past the largest code of each length, aligned to 16 bits.</summary>
    private readonly int[] _limit = new int[18];

    /// <summary>Builds the code from a DHT segment's counts (codes of each length 1 to 16) and symbols.</summary>
    /// <exception cref="InvalidImageException">The counts overflow the code space, or a DC symbol is no size.</exception>
    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols, bool dc)
    {
        _symbols = symbols.ToArray();
        int code = 0, index = 0;
        for (int length = 1; length <= 16; length++)
        {
            _offset[length] = index - code;
            for (int i = 0; i < counts[length - 1]; i++, code++, index++)
            {
                if (dc && symbols[index] > 15)
                    throw new InvalidImageException(ImageFault.Malformed, $"JPEG: a DC Huffman table holds the symbol {symbols[index]}; at most 15 is valid.");
                if (code >= 1 << length)
                    throw new InvalidImageException(ImageFault.Malformed, $"JPEG: a Huffman table has too many codes of {length} bits.");
                if (length <= LookupBits)
                    Lookup.AsSpan(code << (LookupBits - length), 1 << (LookupBits - length)).Fill((ushort)(length << 8 | symbols[index]));
            }
            _limit[length] = code << (16 - length);
            code <<= 1;
        }
        if (!dc)
            FillCoefficients();
    }

    /// <summary>Decodes a code longer than nine bits from the next sixteen.</summary>
    /// <returns>Length · 256 + symbol.</returns>
    /// <exception cref="InvalidImageException">No code matches.</exception>
    public int DecodeLong(int next16)
    {
        for (int length = LookupBits + 1; length <= 16; length++)
            if (next16 < _limit[length])
            {
                int index = _offset[length] + (next16 >> (16 - length));
                if ((uint)index < (uint)_symbols.Length)
                    return length << 8 | _symbols[index];
                break;
            }
        throw new InvalidImageException(ImageFault.Malformed, "JPEG: the entropy-coded data holds a code that its Huffman table lacks.");
    }

    private void FillCoefficients()
    {
        for (int bits = 0; bits < Lookup.Length; bits++)
        {
            int length = Lookup[bits] >> 8, run = (Lookup[bits] >> 4) & 15, size = Lookup[bits] & 15;
            if (length == 0 || size == 0 || length + size > LookupBits)
                continue;
            int value = (bits >> (LookupBits - length - size)) & ((1 << size) - 1);
            if (value < 1 << (size - 1))
                value -= (1 << size) - 1;
            if (value is >= sbyte.MinValue and <= sbyte.MaxValue)
                Coefficients[bits] = (short)(value << 8 | run << 4 | (length + size));
        }
    }
}
