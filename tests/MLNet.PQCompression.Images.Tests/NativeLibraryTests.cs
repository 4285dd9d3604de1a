using SkiaSharp;

namespace MLNet.PQCompression.Images.Tests;

/// <summary>SkiaSharp's native library comes with the package and loads on a machine without fontconfig.</summary>
public sealed class NativeLibraryTests
{
    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void A_lossless_picture_comes_back_to_the_pixel(SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(3, 2, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 3; x++)
                bitmap.SetPixel(x, y, new SKColor((byte)(40 * x), (byte)(90 * y), (byte)(200 - 30 * x)));
        using var pixmap = bitmap.PeekPixels();
        using SKData encoded = format == SKEncodedImageFormat.Webp
            ? pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 100))
            : pixmap.Encode(format, 100);
        using SKBitmap decoded = SKBitmap.Decode(encoded);
        Assert.Equal(bitmap.Pixels, decoded.Pixels);
    }
}
