using System.Runtime.InteropServices;
using SkiaSharp;

namespace MLNet.PQCompression.Images;

/// <summary>Decodes with SkiaSharp as ML.NET's MLImage does: 8 bits, no colour profile, transparency composited on black. What Skia gives up on but a picture viewer shows is mended first.</summary>
internal static class SkiaDecoder
{
    /// <param name="data">The whole encoded image.</param>
    /// <param name="format">What it begins like.</param>
    /// <param name="options">Limits.</param>
    /// <param name="orientation">The EXIF orientation, 1 to 8; not applied here.</param>
    /// <exception cref="InvalidImageException">The image cannot be decoded.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageFormat format, ImageDecoderOptions options, out int orientation)
    {
        if (format == ImageFormat.Bmp)
            data = BitmapHeader.Mended(data, options.AllowTruncated);
        Attempt attempt = Run(data, format, options, options.AllowTruncated);
        orientation = format == ImageFormat.Png && attempt.Orientation == 1 ? PngFile.Orientation(data) : attempt.Orientation;
        if (attempt.Result != SKCodecResult.Success && attempt.IsHeaderRead)
            if (format == ImageFormat.Jpeg)
                attempt = WithEnd(data, options);
            else if (format == ImageFormat.Png && PngFile.Mended(data) is { } mended)
                attempt = Run(mended, format, options, options.AllowTruncated);
        if (attempt.Image is { } image)
            return image;
        if (format == ImageFormat.Png)
            PngFile.Explain(data, attempt.IsHeaderRead);
        throw attempt.Result == SKCodecResult.IncompleteInput
            ? new InvalidImageException(ImageFault.Truncated, $"{format.Name}: the bytes end before the image does.")
            : new InvalidImageException(attempt.Result == SKCodecResult.Unimplemented ? ImageFault.Unsupported : ImageFault.Malformed, $"{format.Name}: the bytes contradict the format, or use a part of it that is not read.");
    }

    /// <summary>The size as stored and the EXIF orientation, from the header alone; zeros where it cannot be read.</summary>
    public static unsafe (int Width, int Height, int Orientation) Describe(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            using SKData encoded = SKData.Create((nint)start, data.Length);
            using SKCodec? codec = data.IsEmpty ? null : SKCodec.Create(encoded);
            if (codec is null)
                return default;
            int orientation = OrientationOf(codec);
            return (codec.Info.Width, codec.Info.Height, orientation == 1 && ImageFormat.Of(data) == ImageFormat.Png ? PngFile.Orientation(data) : orientation);
        }
    }

    private static int OrientationOf(SKCodec codec) => (int)codec.EncodedOrigin is >= 1 and <= 8 and var origin ? origin : 1;

    /// <summary>
    /// A JPEG image whose end is missing. Skia gives none of its last rows, libjpeg does once it finds an end marker. Where nothing but the marker is missing,
    /// bits put before it are never read, and pixels do not depend on them.
    /// </summary>
    private static Attempt WithEnd(ReadOnlySpan<byte> data, ImageDecoderOptions options)
    {
        Attempt ended = Run([.. data, 0xFF, 0xD9], ImageFormat.Jpeg, options, options.AllowTruncated);
        if (options.AllowTruncated || ended.Image is null)
            return ended;
        Attempt other = Run([.. data, .. Enumerable.Repeat((byte)0x55, 64), 0xFF, 0xD9], ImageFormat.Jpeg, options, keepPart: false);
        return other.Image is not null && ended.Image.Pixels.AsSpan().SequenceEqual(other.Image.Pixels) ? ended : ended with { Result = SKCodecResult.IncompleteInput, Image = null };
    }

    private static unsafe Attempt Run(ReadOnlySpan<byte> data, ImageFormat format, ImageDecoderOptions options, bool keepPart)
    {
        fixed (byte* start = data)
        {
            using SKData encoded = SKData.Create((nint)start, data.Length);
            using var stream = new SKMemoryStream(encoded);
            using SKCodec? codec = SKCodec.Create(stream, out SKCodecResult created);
            if (codec is null)
                return new(created == SKCodecResult.Success ? SKCodecResult.InvalidInput : created, null, false, 1);
            (int width, int height) = (codec.Info.Width, codec.Info.Height);
            options.CheckSize(format.Name, width, height);
            if (format == ImageFormat.Jpeg)
                JpegFile.Check(data, width, height);
            if (format == ImageFormat.Png && !options.AllowTruncated)
                PngFile.CheckLength(data);
            int orientation = OrientationOf(codec);
            SKAlphaType alpha = codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Premul;
            byte* pixels = null;
            try
            {
                pixels = (byte*)NativeMemory.AllocZeroed((nuint)width * (nuint)height, 4);
                SKCodecResult result = codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), (nint)pixels);
                bool keep = result == SKCodecResult.Success || (keepPart && result is SKCodecResult.IncompleteInput or SKCodecResult.ErrorInInput);
                return new(result, keep ? new(width, height, WithoutAlpha(pixels, width * height)) : null, true, orientation);
            }
            catch (OutOfMemoryException e)
            {
                throw new InvalidImageException(ImageFault.TooLarge, $"{format.Name}: there is no memory for an image of {width}×{height}.", e);
            }
            finally
            {
                NativeMemory.Free(pixels);
            }
        }
    }

    private static unsafe byte[] WithoutAlpha(byte* pixels, int count)
    {
        byte[] rgb = GC.AllocateUninitializedArray<byte>(3 * count);
        fixed (byte* start = rgb)
        {
            byte* target = start;
            for (byte* source = pixels, end = pixels + 4L * count; source < end; source += 4, target += 3)
            {
                target[0] = source[0];
                target[1] = source[1];
                target[2] = source[2];
            }
        }
        return rgb;
    }

    /// <summary>What came of decoding: Skia's word, the pixels where they are wanted, whether at least the size was read, and the EXIF orientation.</summary>
    private readonly record struct Attempt(SKCodecResult Result, RgbImage? Image, bool IsHeaderRead, int Orientation);
}
