using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Codes from a weight's order [channel, block] to that of panels, [panel, block, 32 channels]. Places of channels that are not there stay as they are.</summary>
internal static unsafe class CodeArrangement
{
    private const int Width = TileOperands.PanelWidth;

    /// <summary>Codes of a byte each, in squares of 8×8.</summary>
    public static void Bytes(ReadOnlySpan<byte> codes, int channels, int blocks, byte* panels)
    {
        fixed (byte* from = codes)
            for (int o = 0; o < channels; o += 8)
            {
                byte* to = panels + (nint)(o / Width) * blocks * Width + o % Width;
                int rows = Math.Min(8, channels - o), b = 0;
                if (rows == 8)
                    for (; b + 8 <= blocks; b += 8)
                        Square(from + (nint)o * blocks + b, blocks, to + b * Width);
                for (; b < blocks; b++)
                    for (int r = 0; r < rows; r++)
                        to[b * Width + r] = from[(nint)(o + r) * blocks + b];
            }
    }

    /// <summary>Codes that come as 16 bits each and are kept in one or two bytes.</summary>
    public static void Words(QuantizedTensor weight, int bytesPerCode, byte* panels)
    {
        int blocks = weight.BlocksPerRow;
        var row = new ushort[blocks];
        for (int o = 0; o < weight.Rows; o++)
        {
            weight.CopyCodes(o, row);
            byte* to = panels + ((nint)(o / Width) * blocks * Width + o % Width) * bytesPerCode;
            if (bytesPerCode == 1)
                for (int b = 0; b < row.Length; b++)
                    to[b * Width] = (byte)row[b];
            else
                for (int b = 0; b < row.Length; b++)
                    ((ushort*)to)[b * Width] = row[b];
        }
    }

    /// <summary>to[32·j + i] = from[i·stride + j] for i, j below 8: halves of squares of 8, 4 and 2 bytes change places.</summary>
    private static void Square(byte* from, nint stride, byte* to)
    {
        ulong r0 = *(ulong*)from, r1 = *(ulong*)(from + stride), r2 = *(ulong*)(from + 2 * stride), r3 = *(ulong*)(from + 3 * stride);
        from += 4 * stride;
        ulong r4 = *(ulong*)from, r5 = *(ulong*)(from + stride), r6 = *(ulong*)(from + 2 * stride), r7 = *(ulong*)(from + 3 * stride);
        Swap(ref r0, ref r4, 32, 0x00000000FFFFFFFF);
        Swap(ref r1, ref r5, 32, 0x00000000FFFFFFFF);
        Swap(ref r2, ref r6, 32, 0x00000000FFFFFFFF);
        Swap(ref r3, ref r7, 32, 0x00000000FFFFFFFF);
        Swap(ref r0, ref r2, 16, 0x0000FFFF0000FFFF);
        Swap(ref r1, ref r3, 16, 0x0000FFFF0000FFFF);
        Swap(ref r4, ref r6, 16, 0x0000FFFF0000FFFF);
        Swap(ref r5, ref r7, 16, 0x0000FFFF0000FFFF);
        Swap(ref r0, ref r1, 8, 0x00FF00FF00FF00FF);
        Swap(ref r2, ref r3, 8, 0x00FF00FF00FF00FF);
        Swap(ref r4, ref r5, 8, 0x00FF00FF00FF00FF);
        Swap(ref r6, ref r7, 8, 0x00FF00FF00FF00FF);
        *(ulong*)to = r0;
        *(ulong*)(to + Width) = r1;
        *(ulong*)(to + 2 * Width) = r2;
        *(ulong*)(to + 3 * Width) = r3;
        *(ulong*)(to + 4 * Width) = r4;
        *(ulong*)(to + 5 * Width) = r5;
        *(ulong*)(to + 6 * Width) = r6;
        *(ulong*)(to + 7 * Width) = r7;
    }

    /// <summary>The high part of a square's upper rows changes places with the low part of its lower rows.</summary>
    private static void Swap(ref ulong upper, ref ulong lower, int shift, ulong mask)
    {
        ulong moved = ((upper >> shift) ^ lower) & mask;
        lower ^= moved;
        upper ^= moved << shift;
    }
}
