using Microsoft.ML.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>Images in the forms that columns have.</summary>
internal static class TestImages
{
    /// <summary>A lossless encoded form: a portable pixmap.</summary>
    public static byte[] Encode(RgbImage image) => [.. System.Text.Encoding.ASCII.GetBytes($"P6\n{image.Width} {image.Height}\n255\n"), .. image.Pixels];

    public static MLImage ToMLImage(RgbImage image)
    {
        byte[] bgra = [.. Enumerable.Range(0, image.Width * image.Height).SelectMany(i => new byte[] { image.Pixels[3 * i + 2], image.Pixels[3 * i + 1], image.Pixels[3 * i], 255 })];
        return MLImage.CreateFromPixels(image.Width, image.Height, MLPixelFormat.Bgra32, bgra);
    }

    /// <summary>Pixel after pixel.</summary>
    public static float[] Interleave(float[] planes)
    {
        int area = planes.Length / 3;
        return [.. Enumerable.Range(0, planes.Length).Select(i => planes[i % 3 * area + i / 3])];
    }
}
