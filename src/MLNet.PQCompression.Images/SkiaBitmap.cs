using System.Runtime.InteropServices;
using SkiaSharp;

namespace MLNet.PQCompression.Images;

/// <summary>Images as Skia holds them.</summary>
internal static class SkiaBitmap
{
    /// <summary>A copy of an image to draw on or to encode.</summary>
    public static SKBitmap Of(RgbImage image)
    {
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = new byte[checked(4 * image.Width * image.Height)];
        for (int i = 0; i < pixels.Length; i += 4)
        {
            image.Pixels.AsSpan(i / 4 * 3, 3).CopyTo(pixels.AsSpan(i));
            pixels[i + 3] = byte.MaxValue;
        }
        Marshal.Copy(pixels, 0, bitmap.GetPixels(), pixels.Length);
        return bitmap;
    }
}
