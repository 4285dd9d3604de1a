using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Writes an image as PNG, for models that decode their image themselves.</summary>
internal static class UncompressedPng
{
    private const byte EightBits = 8, Grey = 0, Rgb = 2;

    /// <summary>An image of values 0 to 255, C×H×W with one channel or three (R, G, B).</summary>
    public static byte[] Encode(ReadOnlySpan<float> image, int channels, int height, int width)
    {
        var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (EightBits, channels == 1 ? Grey : Rgb);
        Chunk(file, "IHDR"u8, header);
        var data = new MemoryStream();
        using (var compressed = new ZLibStream(data, CompressionLevel.NoCompression, leaveOpen: true))
            for (int y = 0; y < height; y++)
            {
                var row = new byte[1 + width * channels]; // The first byte says that the row is not filtered.
                for (int x = 0; x < width; x++)
                    for (int c = 0; c < channels; c++)
                        row[1 + x * channels + c] = (byte)Math.Clamp(MathF.Round(image[(c * height + y) * width + x]), 0, 255);
                compressed.Write(row);
            }
        Chunk(file, "IDAT"u8, data.ToArray());
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        var crc = new Crc32();
        crc.Append(type);
        crc.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
