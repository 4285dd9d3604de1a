using System.Buffers.Binary;
using System.IO.Compression;

namespace MLNet.PQCompression.Datasets;

/// <summary>Writes images of up to 256 colours as PNG.</summary>
internal static class PngWriter
{
    public static byte[] Encode(int width, int height, IndexedImage image)
    {
        var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8; // bits a sample
        header[9] = 3; // palette
        WriteChunk(png, "IHDR"u8, header);
        WriteChunk(png, "PLTE"u8, image.Palette);
        WriteChunk(png, "IDAT"u8, Deflate(width, height, image.Indices));
        WriteChunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static byte[] Deflate(int width, int height, byte[] indices)
    {
        var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.SmallestSize))
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0); // no filter: indices do not predict each other
                zlib.Write(indices, y * width, width);
            }
        return compressed.ToArray();
    }

    private static void WriteChunk(Stream png, ReadOnlySpan<byte> type, ReadOnlySpan<byte> body)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, body.Length);
        png.Write(number);
        png.Write(type);
        png.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Checksum(Checksum(uint.MaxValue, type), body));
        png.Write(number);
    }

    private static uint Checksum(uint state, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            state ^= b;
            for (int bit = 0; bit < 8; bit++)
                state = state >> 1 ^ ((state & 1) != 0 ? 0xEDB88320 : 0);
        }
        return state;
    }
}
