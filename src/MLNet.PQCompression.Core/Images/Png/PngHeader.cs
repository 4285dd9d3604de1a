using System.Buffers.Binary;

namespace MLNet.PQCompression.Images.Png;

/// <summary>The IHDR chunk of a PNG image.</summary>
internal sealed record PngHeader(int Width, int Height, int BitDepth, PngColor Color, bool Interlaced)
{
    /// <summary>Samples in a pixel.</summary>
    public int Channels => Color switch
    {
        PngColor.GreyAlpha => 2,
        PngColor.Rgb => 3,
        PngColor.RgbAlpha => 4,
        _ => 1,
    };

    /// <summary>Bytes from a sample to the one it is predicted from.</summary>
    public int FilterDistance => Math.Max(1, Channels * BitDepth / 8);

    /// <summary>Bytes of a row of <paramref name="width"/> pixels, without its filter byte.</summary>
    public long RowBytes(int width) => ((long)width * Channels * BitDepth + 7) / 8;

    public static PngHeader Parse(ReadOnlySpan<byte> body, ImageDecoderOptions options)
    {
        if (body.Length != 13)
            throw new InvalidImageException(ImageFault.Malformed, $"PNG: the header has {body.Length} bytes, not 13.");
        long width = BinaryPrimitives.ReadUInt32BigEndian(body), height = BinaryPrimitives.ReadUInt32BigEndian(body[4..]);
        options.CheckSize("PNG", width, height);
        int depth = body[8];
        var color = (PngColor)body[9];
        bool valid = color switch
        {
            PngColor.Grey => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GreyAlpha or PngColor.RgbAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!valid || body[10] != 0 || body[11] != 0 || body[12] > 1)
            throw new InvalidImageException(ImageFault.Malformed,
                $"PNG: colour type {body[9]} with {depth} bits, compression {body[10]}, filter {body[11]}, interlace {body[12]} is not allowed.");
        return new((int)width, (int)height, depth, color, body[12] == 1);
    }
}

/// <summary>The colour types of PNG.</summary>
internal enum PngColor : byte
{
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    RgbAlpha = 6,
}
