using System.Buffers.Binary;

namespace MLNet.PQCompression.Images;

/// <summary>
/// Some programs write a BMP file whose pixels begin, as it says, within its header or its palette: at 0, or at 54 whatever the palette. They begin behind both.
/// Others leave its length 0, which Skia needs where runs are compressed.
/// </summary>
internal static class BitmapHeader
{
    private const int FileHeader = 14;

    /// <summary>The same file where both can be right, else a copy with the least offset that can be and the length that it has.</summary>
    /// <exception cref="InvalidImageException">The file is too short for the image's size.</exception>
    public static ReadOnlySpan<byte> Mended(ReadOnlySpan<byte> bmp, bool allowTruncated)
    {
        if (bmp.Length < FileHeader + 40)
            return bmp;
        uint header = Field(bmp, 14);
        if (header is < 40 or > 1024)
            return bmp;
        int depth = BinaryPrimitives.ReadUInt16LittleEndian(bmp[28..]);
        uint compression = Field(bmp, 30), colors = Field(bmp, 46);
        long masks = header == 40 && compression is 3 or 6 ? (compression == 3 ? 12 : 16) : 0;
        long palette = depth is 1 or 2 or 4 or 8 ? 4L * (colors == 0 ? 1u << depth : Math.Min(colors, 1u << depth)) : 0;
        long least = FileHeader + header + masks + palette;
        double pixels = compression is 0 or 3 or 6 ? Math.Ceiling((double)Field(bmp, 18) * depth / 32) * 4 * Math.Abs((double)(int)Field(bmp, 22)) : 0;
        if (pixels > bmp.Length && !allowTruncated)
            throw new InvalidImageException(ImageFault.Truncated, $"BMP: the image needs {pixels} bytes of pixels; the file has {bmp.Length}.");
        if (least > bmp.Length || (Field(bmp, 10) >= least && Field(bmp, 2) > Field(bmp, 10)))
            return bmp;
        byte[] mended = bmp.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(mended.AsSpan(2), (uint)bmp.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(mended.AsSpan(10), (uint)Math.Max(least, Field(bmp, 10)));
        return mended;
    }

    private static uint Field(ReadOnlySpan<byte> bmp, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bmp[at..]);
}
