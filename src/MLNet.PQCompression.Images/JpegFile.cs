namespace MLNet.PQCompression.Images;

/// <summary>What a JPEG file can cost to decode, told before it is decoded: libjpeg fills what is missing with grey, at any size, and reads every scan over all of the image.</summary>
internal static class JpegFile
{
    /// <summary>A block of 8×8 pixels takes one bit at least: of the DC coefficient's Huffman code.</summary>
    private const int MostPixelsOfByte = 8 * 64;

    /// <summary>Encoders write about ten for a progressive image.</summary>
    private const int MostScans = 100;

    /// <exception cref="InvalidImageException">So few bytes cannot hold so many pixels, or there are more scans than an encoder writes.</exception>
    public static void Check(ReadOnlySpan<byte> jpeg, int width, int height)
    {
        if ((long)width * height > (long)MostPixelsOfByte * jpeg.Length)
            throw new InvalidImageException(ImageFault.Truncated, $"JPEG: {jpeg.Length} bytes cannot hold an image of {width}×{height}.");
        // In compressed data a byte 0xFF is followed by 0, so a scan's marker is found nowhere else but in a thumbnail.
        if (jpeg.Count((ReadOnlySpan<byte>)[0xFF, 0xDA]) is > MostScans and var scans)
            throw new InvalidImageException(ImageFault.Malformed, $"JPEG: there are {scans} scans; at most {MostScans} are read.");
    }
}
