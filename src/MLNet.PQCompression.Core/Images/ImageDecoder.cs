using MLNet.PQCompression.Images.Jpeg;
using MLNet.PQCompression.Images.Png;

namespace MLNet.PQCompression.Images;

/// <summary>Decodes JPEG, PNG, BMP and PPM/PGM images in managed code. The format is told by the content, not by a name.</summary>
public static class ImageDecoder
{
    /// <summary>The extensions under which the readable formats are found in folders and archives, lower case with their dot.</summary>
    public static IReadOnlyList<string> FileExtensions { get; } = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".ppm", ".pgm", ".pnm"];

    /// <summary>Decodes an image to 8-bit RGB. Grey and CMYK are converted, transparency is dropped, 16-bit samples keep their high byte.</summary>
    /// <param name="data">The whole encoded image.</param>
    /// <param name="options">Limits; null for <see cref="ImageDecoderOptions.Default"/>.</param>
    /// <exception cref="InvalidImageException">The image cannot be decoded; no other exception is thrown for what the bytes say.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> data, ImageDecoderOptions? options = null)
    {
        options ??= ImageDecoderOptions.Default;
        if (data.Length >= 2)
        {
            if (data[0] == 0xFF && data[1] == 0xD8)
                return JpegDecoder.Decode(data, options);
            if (data.StartsWith(PngDecoder.Signature))
                return PngDecoder.Decode(data, options);
            if (data[0] == 'B' && data[1] == 'M')
                return BmpDecoder.Decode(data, options);
            if (data[0] == 'P' && data[1] is >= (byte)'1' and <= (byte)'7')
                return PortableMapDecoder.Decode(data, options);
        }
        string found = data.IsEmpty ? "it is empty" : $"it starts with the bytes {Convert.ToHexString(data[..Math.Min(4, data.Length)])}";
        throw new InvalidImageException(ImageFault.UnknownFormat, $"Not a JPEG, PNG, BMP or PPM/PGM image: {found}.");
    }
}
