using SkiaSharp;

namespace MLNet.PQCompression.Images;

/// <summary>Small JPEG files of images, for reports.</summary>
public static class ImageThumbnail
{
    private const int Quality = 82;

    /// <summary>A JPEG file of an image, made smaller where its longer side has more pixels than <paramref name="longSide"/>.</summary>
    public static byte[] Jpeg(RgbImage image, int longSide)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(longSide);
        double scale = Math.Min(1, (double)longSide / Math.Max(image.Width, image.Height));
        RgbImage small = scale < 1 ? ImageResizer.Resize(image, Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale))) : image;
        using SKBitmap bitmap = SkiaBitmap.Of(small);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, Quality);
        return data.ToArray();
    }
}
