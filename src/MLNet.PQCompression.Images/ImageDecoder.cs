namespace MLNet.PQCompression.Images;

/// <summary>
/// Decodes pictures to RGB: what SkiaSharp reads (JPEG, PNG, WebP, GIF, BMP, ICO, WBMP; of animations the first frame) and PPM/PGM. The format is told by the
/// content, not by a name.
/// </summary>
/// <remarks>
/// Pixels equal those that ML.NET's LoadImages gives: SkiaSharp decodes them in both, colour profiles are not applied, and what is transparent is composited on
/// black. The EXIF orientation is applied besides.
/// </remarks>
public static class ImageDecoder
{
    /// <summary>The extensions under which the readable formats are found in folders and archives, lower case with their dot.</summary>
    public static IReadOnlyList<string> FileExtensions { get; } =
        [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".ico", ".wbmp", ".ppm", ".pgm", ".pnm"];

    /// <summary>Decodes an image to 8-bit RGB. Grey and CMYK are converted, 16-bit samples keep their high byte.</summary>
    /// <param name="data">The whole encoded image.</param>
    /// <param name="options">Limits; null for <see cref="ImageDecoderOptions.Default"/>.</param>
    /// <exception cref="InvalidImageException">The image cannot be decoded; no other exception is thrown for what the bytes say.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions? options = null)
    {
        options ??= ImageDecoderOptions.Default;
        ImageFormat? format = ImageFormat.Of(data);
        if (format is null)
            throw new InvalidImageException(ImageFault.UnknownFormat, $"No image of a format that is read: {(data.IsEmpty ? "it is empty" : $"it starts with the bytes {Convert.ToHexString(data[..Math.Min(4, data.Length)])}")}.");
        if (!format.IsRead)
            throw new InvalidImageException(ImageFault.Unsupported, $"It is {format.Name}, which is not read; convert it to PNG or JPEG.");
        if (format == ImageFormat.PortableMap)
            return PortableMapDecoder.Decode(data, options);
        RgbImage image = SkiaDecoder.Decode(data, format, options, out int orientation);
        return options.ApplyOrientation ? Orientation.Apply(image, orientation) : image;
    }

    /// <summary>Turns pixels that another decoder left as they are stored, by the EXIF orientation of their file.</summary>
    /// <param name="image">The pixels.</param>
    /// <param name="file">The file that they were read from; null or a name that is no such file leaves them as they are, as does a file of another size (they were resized since).</param>
    public static RgbImage Upright(RgbImage image, string? file)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (string.IsNullOrEmpty(file) || !File.Exists(file))
            return image;
        try
        {
            (int width, int height, int orientation) = SkiaDecoder.Describe(File.ReadAllBytes(file));
            return (width, height) == (image.Width, image.Height) ? Orientation.Apply(image, orientation) : image;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return image;
        }
    }
}
