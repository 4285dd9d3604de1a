namespace MLNet.PQCompression.Images.Png;

/// <summary>Turns the samples of a row into RGB.</summary>
internal static class PngPixels
{
    /// <param name="header">The header.</param>
    /// <param name="palette">R, G, B of each palette entry.</param>
    /// <param name="row">The decoded row.</param>
    /// <param name="width">Pixels in the row.</param>
    /// <param name="target">Where the first pixel goes.</param>
    /// <param name="step">Bytes from pixel to pixel in the target.</param>
    public static void Expand(PngHeader header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> row, int width, Span<byte> target, int step)
    {
        int sampleBytes = header.BitDepth == 16 ? 2 : 1, pixelBytes = header.Channels * sampleBytes;
        for (int x = 0, at = 0; x < width; x++, at += step)
            switch (header.Color)
            {
                case PngColor.Rgb or PngColor.RgbAlpha:
                    target[at] = row[x * pixelBytes];
                    target[at + 1] = row[x * pixelBytes + sampleBytes];
                    target[at + 2] = row[x * pixelBytes + 2 * sampleBytes];
                    break;
                case PngColor.Palette:
                    int entry = 3 * Packed(row, x, header.BitDepth);
                    if (entry >= palette.Length)
                        throw new InvalidImageException(ImageFault.Malformed, $"PNG: a pixel refers to palette entry {entry / 3} of {palette.Length / 3}.");
                    palette.Slice(entry, 3).CopyTo(target[at..]);
                    break;
                default:
                    int grey = header.BitDepth >= 8 ? row[x * pixelBytes] : Packed(row, x, header.BitDepth) * 255 / ((1 << header.BitDepth) - 1);
                    target[at] = target[at + 1] = target[at + 2] = (byte)grey;
                    break;
            }
    }

    /// <summary>Sample x of a row whose samples have 1, 2, 4 or 8 bits, highest bits first.</summary>
    private static int Packed(ReadOnlySpan<byte> row, int x, int bits) =>
        row[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1);
}
