using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace MLNet.PQCompression.Images;

/// <summary>The chunks of a PNG file: its orientation, which Skia does not read, and what is wrong where Skia does not decode it.</summary>
internal static class PngFile
{
    private const int SignatureLength = 8, Frame = 12, MostInflated = 64 << 20, MostInflatedOfByte = 1032;

    /// <summary>The EXIF orientation of an eXIf chunk; 1 where there is none.</summary>
    public static int Orientation(ReadOnlySpan<byte> png)
    {
        foreach (Range chunk in Chunks(png))
            if (IsType(png[chunk], "eXIf"u8))
                return Images.Orientation.Read(png[chunk][8..^4]);
        return 1;
    }

    /// <summary>Refuses a file whose compressed pixels are too short for its size, before room is made for it: deflate makes at most 1,032 bytes of one.</summary>
    /// <exception cref="InvalidImageException">They are.</exception>
    public static void CheckLength(ReadOnlySpan<byte> png)
    {
        long compressed = 0, needed = 0;
        foreach (Range range in Chunks(png))
        {
            ReadOnlySpan<byte> chunk = png[range];
            if (IsType(chunk, "IDAT"u8))
                compressed += chunk.Length - Frame;
            else if (IsType(chunk, "IHDR"u8) && chunk.Length == Frame + 13)
                needed = BinaryPrimitives.ReadUInt32BigEndian(chunk[12..]) * ((long)BinaryPrimitives.ReadUInt32BigEndian(chunk[8..]) * chunk[16] * (chunk[17] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 }) / 8);
        }
        if (needed > MostInflatedOfByte * compressed)
            throw new InvalidImageException(ImageFault.Truncated, $"PNG: {compressed} bytes of compressed pixels cannot hold the {needed} bytes that the image's size needs.");
    }

    /// <summary>The file with nothing but the chunks that pixels need and a right end; null where one of these has a wrong checksum.</summary>
    public static byte[]? Mended(ReadOnlySpan<byte> png)
    {
        using var mended = new MemoryStream(png.Length);
        mended.Write(png[..SignatureLength]);
        foreach (Range range in Chunks(png))
        {
            ReadOnlySpan<byte> chunk = png[range];
            if (!IsType(chunk, "IHDR"u8) && !IsType(chunk, "PLTE"u8) && !IsType(chunk, "tRNS"u8) && !IsType(chunk, "IDAT"u8))
                continue;
            if (!IsChecked(chunk))
                return null;
            mended.Write(chunk);
        }
        mended.Write([0, 0, 0, 0, .. "IEND"u8, 0xAE, 0x42, 0x60, 0x82]);
        return mended.ToArray();
    }

    /// <summary>Tells why a file is not decoded, as far as that can be found out; returns where it cannot.</summary>
    /// <param name="png">The file.</param>
    /// <param name="isHeaderRead">Whether its size could be read.</param>
    /// <exception cref="InvalidImageException">What is wrong.</exception>
    public static void Explain(ReadOnlySpan<byte> png, bool isHeaderRead)
    {
        using var compressed = new MemoryStream();
        foreach (Range range in Chunks(png))
        {
            ReadOnlySpan<byte> chunk = png[range];
            if ((chunk[4] & 0x20) == 0 && !IsChecked(chunk))
                throw new InvalidImageException(ImageFault.Malformed, $"PNG: the checksum of the chunk {Encoding.Latin1.GetString(chunk[4..8])} is wrong; the file is damaged.");
            if (IsType(chunk, "IDAT"u8))
                compressed.Write(chunk[8..^4]);
        }
        if (compressed.Length < 2)
            return;
        if (!isHeaderRead)
            throw new InvalidImageException(ImageFault.Malformed, "PNG: the header names a form of image that does not exist.");
        compressed.Position = 2; // the zlib header: without it the closing checksum is not looked at
        if (!Inflates(new DeflateStream(compressed, CompressionMode.Decompress, leaveOpen: true)))
            return;
        compressed.Position = 0;
        if (!Inflates(new ZLibStream(compressed, CompressionMode.Decompress)))
            throw new InvalidImageException(ImageFault.Malformed, "PNG: the checksum (Adler-32) of the compressed pixels is wrong; the file is damaged.");
    }

    /// <summary>Whether a stream can be read; as far as is read to explain an error.</summary>
    private static bool Inflates(Stream stream)
    {
        Span<byte> block = stackalloc byte[4096];
        try
        {
            for (int total = 0, read; total < MostInflated && (read = stream.Read(block)) > 0;)
                total += read;
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return false;
        }
    }

    /// <summary>The whole chunks in their order, each from its length to its checksum.</summary>
    private static List<Range> Chunks(ReadOnlySpan<byte> png)
    {
        var chunks = new List<Range>();
        for (long at = SignatureLength; at + Frame <= png.Length;)
        {
            long end = at + Frame + BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
            if (end > png.Length)
                break;
            chunks.Add((int)at..(int)end);
            at = end;
        }
        return chunks;
    }

    private static bool IsType(ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> type) => chunk[4..8].SequenceEqual(type);

    private static bool IsChecked(ReadOnlySpan<byte> chunk) => Crc32.HashToUInt32(chunk[4..^4]) == BinaryPrimitives.ReadUInt32BigEndian(chunk[^4..]);
}
