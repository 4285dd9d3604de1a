using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MLNet.PQCompression.Images.Png;

/// <summary>Decodes PNG images of every colour type and bit depth, interlaced or not (ISO/IEC 15948). Alpha is dropped, 16-bit samples keep their high byte.</summary>
internal static class PngDecoder
{
    /// <summary>Deflate yields at most this many bytes for one.</summary>
    private const long MaxInflation = 1032;

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        PngHeader? header = null;
        byte[] palette = [];
        byte[] compressed = ArrayPool<byte>.Shared.Rent(data.Length);
        try
        {
            int length = 0, position = Signature.Length;
            while (ReadChunk(data, ref position, out uint type, out ReadOnlySpan<byte> body))
            {
                switch (type)
                {
                    case 0x49484452: // IHDR
                        header = PngHeader.Parse(body, options);
                        break;
                    case 0x504C5445: // PLTE
                        if (body.Length % 3 != 0 || body.Length > 768)
                            throw Malformed($"the palette has {body.Length} bytes; a multiple of 3 up to 768 is valid");
                        palette = body.ToArray();
                        break;
                    case 0x49444154: // IDAT
                        body.CopyTo(compressed.AsSpan(length));
                        length += body.Length;
                        break;
                    case var other when (other & 0x20000000) == 0:
                        throw new InvalidImageException(ImageFault.Unsupported, $"PNG: the critical chunk '{Name(other)}' is not known.");
                }
                if (header is null)
                    throw Malformed($"the first chunk is '{Name(type)}', not IHDR");
            }
            if (header is null)
                throw Malformed("there is no IHDR chunk");
            if (header.Color == PngColor.Palette && palette.Length == 0)
                throw Malformed("there is no palette");
            return Inflate(header, palette, compressed, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }
    }

    /// <summary>Reads the chunk at a position; false at IEND.</summary>
    private static bool ReadChunk(ReadOnlySpan<byte> data, ref int position, out uint type, out ReadOnlySpan<byte> body)
    {
        if (position + 12 > data.Length)
            throw Truncated("the data ends before the IEND chunk");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(data[position..]);
        type = BinaryPrimitives.ReadUInt32BigEndian(data[(position + 4)..]);
        if (length > data.Length - position - 12)
            throw Truncated($"the chunk '{Name(type)}' has {length} bytes, {data.Length - position - 12} are left");
        body = data.Slice(position + 8, (int)length);
        uint expected = BinaryPrimitives.ReadUInt32BigEndian(data[(position + 8 + (int)length)..]);
        uint found = Crc32.Append(0, data.Slice(position + 4, 4 + (int)length));
        if (found != expected)
            throw Malformed($"the chunk '{Name(type)}' has the checksum {found:X8}, {expected:X8} is declared");
        position += 12 + (int)length;
        return type != 0x49454E44;
    }

    private static RgbImage Inflate(PngHeader header, byte[] palette, byte[] compressed, int length)
    {
        long needed = (header.RowBytes(header.Width) + 1) * header.Height;
        if (needed > length * MaxInflation + MaxInflation)
            throw Truncated($"{length} compressed bytes cannot hold an image of {header.Width}×{header.Height}");
        var pixels = new byte[header.Width * header.Height * 3];
        using var stream = new ZLibStream(new MemoryStream(compressed, 0, length, writable: false), CompressionMode.Decompress);
        try
        {
            if (!header.Interlaced)
                ReadPass(header, palette, stream, pixels, new PngPass(0, 0, 1, 1));
            else
                foreach (PngPass pass in PngPass.Adam7)
                    ReadPass(header, palette, stream, pixels, pass);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidImageException(ImageFault.Truncated, "PNG: the compressed data ends before the image does.", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidImageException(ImageFault.Malformed, $"PNG: the compressed data is broken: {e.Message}", e);
        }
        return new(header.Width, header.Height, pixels);
    }

    private static void ReadPass(PngHeader header, byte[] palette, Stream stream, byte[] pixels, PngPass pass)
    {
        int width = pass.Columns(header.Width), height = pass.Rows(header.Height);
        if (width == 0 || height == 0)
            return;
        int rowBytes = checked((int)header.RowBytes(width));
        var row = new byte[rowBytes + 1];
        var above = new byte[rowBytes + 1];
        for (int y = 0; y < height; y++)
        {
            stream.ReadExactly(row);
            PngFilter.Undo(row[0], row.AsSpan(1), above.AsSpan(1), header.FilterDistance);
            Span<byte> target = pixels.AsSpan(((pass.FirstRow + y * pass.RowStep) * header.Width + pass.FirstColumn) * 3);
            PngPixels.Expand(header, palette, row.AsSpan(1), width, target, pass.ColumnStep * 3);
            (row, above) = (above, row);
        }
    }

    private static string Name(uint type)
    {
        Span<byte> letters = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(letters, type);
        return Encoding.Latin1.GetString(letters);
    }

    private static InvalidImageException Malformed(string what) => new(ImageFault.Malformed, $"PNG: {what}.");

    private static InvalidImageException Truncated(string what) => new(ImageFault.Truncated, $"PNG: {what}.");
}
