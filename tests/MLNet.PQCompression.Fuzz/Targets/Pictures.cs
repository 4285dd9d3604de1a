using System.Text;
using SkiaSharp;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>Small sound pictures.</summary>
internal static class Pictures
{
    private const int Width = 9, Height = 7;

    /// <summary>One of each format.</summary>
    public static IEnumerable<byte[]> All()
    {
        yield return Encode(SKEncodedImageFormat.Png, SKColorType.Rgba8888);
        yield return Encode(SKEncodedImageFormat.Png, SKColorType.Gray8);
        yield return Encode(SKEncodedImageFormat.Jpeg, SKColorType.Rgba8888);
        yield return Encode(SKEncodedImageFormat.Webp, SKColorType.Rgba8888);
        yield return Bitmap();
        yield return [.. "P6 9 7 255\n"u8, .. new byte[Width * Height * 3]];
        yield return Encoding.ASCII.GetBytes("P2\n# grey\n3 2\n15\n1 2 3 4 5 6\n");
        yield return
        [
            .. "GIF89a"u8, 2, 0, 2, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, // two colours
            0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 2, 0x84, 0x51, 0, 0x3b,
        ];
    }

    /// <summary>A small PNG.</summary>
    public static byte[] Png() => Encode(SKEncodedImageFormat.Png, SKColorType.Gray8);

    private static byte[] Encode(SKEncodedImageFormat format, SKColorType type)
    {
        using var bitmap = new SKBitmap(Width, Height, type, SKAlphaType.Opaque);
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
                bitmap.SetPixel(x, y, new SKColor((byte)(x * 28), (byte)(y * 36), (byte)(x * y * 4)));
        using SKData data = bitmap.Encode(format, 80);
        return data.ToArray();
    }

    /// <summary>A bitmap of 24 bits a pixel.</summary>
    private static byte[] Bitmap()
    {
        const int Row = (Width * 3 + 3) / 4 * 4, Size = 54 + Row * Height;
        byte[] file = new byte[Size];
        (file[0], file[1], file[2], file[3], file[10], file[14], file[18], file[22], file[26], file[28]) = ((byte)'B', (byte)'M', Size & 0xff, Size >> 8, 54, 40, Width, Height, 1, 24);
        return file;
    }
}
