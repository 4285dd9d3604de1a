using System.Buffers.Binary;
using System.Numerics;

namespace MLNet.PQCompression.Images;

/// <summary>Decodes BMP images of 1, 4, 8, 16, 24 and 32 bits, bottom-up and top-down, with bit fields, and RLE8. Alpha is dropped.</summary>
internal static class BmpDecoder
{
    private const int FileHeader = 14;

    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        BmpHeader header = BmpHeader.Parse(data, options);
        ReadOnlySpan<byte> palette = [];
        if (header.BitCount <= 8)
        {
            int available = Math.Max(0, Math.Min(header.PixelOffset, data.Length) - FileHeader - header.HeaderSize) / header.PaletteEntryBytes;
            int entries = Math.Min(header.PaletteEntries, available);
            palette = data.Slice(FileHeader + header.HeaderSize, entries * header.PaletteEntryBytes);
        }
        if (header.PixelOffset > data.Length)
            throw new InvalidImageException(ImageFault.Truncated, $"BMP: the pixels start at byte {header.PixelOffset} of {data.Length}.");
        ReadOnlySpan<byte> body = data[header.PixelOffset..];
        return header.IsRle8 ? DecodeRle8(header, palette, body) : DecodePlain(header, palette, body);
    }

    private static RgbImage DecodePlain(BmpHeader header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> body)
    {
        long stride = ((long)header.Width * header.BitCount + 31) / 32 * 4;
        long needed = stride * (header.Height - 1) + ((long)header.Width * header.BitCount + 7) / 8;
        if (body.Length < needed)
            throw new InvalidImageException(ImageFault.Truncated, $"BMP: an image of {header.Width}×{header.Height} needs {needed} bytes, {body.Length} are left.");
        var pixels = new byte[header.Width * header.Height * 3];
        for (int y = 0; y < header.Height; y++)
        {
            ReadOnlySpan<byte> row = body[(int)(y * stride)..];
            Span<byte> target = Row(header, pixels, y);
            for (int x = 0; x < header.Width; x++)
            {
                Span<byte> rgb = target.Slice(3 * x, 3);
                int bits = header.BitCount;
                if (bits <= 8)
                    WritePalette(header, palette, row[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1), rgb);
                else if (bits == 24)
                    (rgb[0], rgb[1], rgb[2]) = (row[3 * x + 2], row[3 * x + 1], row[3 * x]);
                else
                {
                    uint value = bits == 16 ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..]) : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]);
                    rgb[0] = Field(value, header.RedMask);
                    rgb[1] = Field(value, header.GreenMask);
                    rgb[2] = Field(value, header.BlueMask);
                }
            }
        }
        return new(header.Width, header.Height, pixels);
    }

    private static RgbImage DecodeRle8(BmpHeader header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> body)
    {
        // A row without data costs two bytes and a run of 255 pixels too; far fewer bytes mean a hostile or truncated file.
        if ((long)header.Width * header.Height > (body.Length + 2L) * 255 * 255)
            throw new InvalidImageException(ImageFault.Truncated, $"BMP: {body.Length} bytes cannot hold an image of {header.Width}×{header.Height}.");
        var indices = new byte[header.Width * header.Height];
        int x = 0, y = 0, at = 0;
        while (true)
        {
            if (at + 2 > body.Length)
                throw new InvalidImageException(ImageFault.Truncated, "BMP: the run-length data ends before the image does.");
            int count = body[at++], value = body[at++];
            if (count == 0 && value == 1)
                break;
            if (count == 0 && value == 0)
            {
                (x, y) = (0, y + 1);
                continue;
            }
            if (count == 0 && value == 2)
            {
                if (at + 2 > body.Length)
                    throw new InvalidImageException(ImageFault.Truncated, "BMP: the run-length data ends inside a jump.");
                x += body[at++];
                y += body[at++];
                continue;
            }
            int length = count == 0 ? value : count;
            if (y >= header.Height || x + length > header.Width)
                throw new InvalidImageException(ImageFault.Malformed, $"BMP: a run of {length} pixels at ({x}, {y}) leaves the image of {header.Width}×{header.Height}.");
            Span<byte> run = indices.AsSpan(y * header.Width + x, length);
            x += length;
            if (count > 0)
            {
                run.Fill((byte)value);
                continue;
            }
            if (at + length > body.Length)
                throw new InvalidImageException(ImageFault.Truncated, "BMP: the run-length data ends inside a run.");
            body.Slice(at, length).CopyTo(run);
            at += length + (length & 1);
        }
        var pixels = new byte[indices.Length * 3];
        for (int row = 0; row < header.Height; row++)
            for (int column = 0; column < header.Width; column++)
                WritePalette(header, palette, indices[row * header.Width + column], Row(header, pixels, row)[(3 * column)..]);
        return new(header.Width, header.Height, pixels);
    }

    private static Span<byte> Row(BmpHeader header, byte[] pixels, int storedRow) =>
        pixels.AsSpan((header.TopDown ? storedRow : header.Height - 1 - storedRow) * header.Width * 3, header.Width * 3);

    private static void WritePalette(BmpHeader header, ReadOnlySpan<byte> palette, int index, Span<byte> rgb)
    {
        int at = index * header.PaletteEntryBytes;
        if (at >= palette.Length)
            throw new InvalidImageException(ImageFault.Malformed, $"BMP: a pixel refers to palette entry {index} of {palette.Length / header.PaletteEntryBytes}.");
        (rgb[0], rgb[1], rgb[2]) = (palette[at + 2], palette[at + 1], palette[at]);
    }

    /// <summary>The bits of a mask, scaled to 0-255.</summary>
    private static byte Field(uint value, uint mask)
    {
        if (mask == 0)
            return 0;
        int shift = BitOperations.TrailingZeroCount(mask);
        ulong maximum = mask >> shift;
        return (byte)(((value & mask) >> shift) * 255UL / maximum);
    }
}
