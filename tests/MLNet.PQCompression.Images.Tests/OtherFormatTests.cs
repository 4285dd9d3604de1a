using System.Buffers.Binary;
using System.Text;
using MLNet.PQCompression.Images;
using SkiaSharp;

namespace MLNet.PQCompression.Tests.Images;

public class OtherFormatTests
{
    [Fact]
    public void A_webp_image_is_read_and_turned()
    {
        byte[] webp = Encode(SKEncodedImageFormat.Webp);
        RgbImage image = ImageDecoder.Decode(webp);
        Assert.Equal((4, 2), (image.Width, image.Height));
        Assert.Equal([250, 0, 0], image.Pixels[..3]);

        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        RgbImage turned = ImageDecoder.Decode(WithExif(webp, 4, 2, exif));
        Assert.Equal((2, 4), (turned.Width, turned.Height));
        Assert.Equal([250, 0, 0], turned.Pixels[3..6]);
    }

    [Fact]
    public void The_first_picture_of_an_animation_is_taken()
    {
        RgbImage image = ImageDecoder.Decode(Gif([0, 1, 2, 3], [3, 3, 3, 3]));

        Assert.Equal((2, 2), (image.Width, image.Height));
        Assert.Equal([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255], image.Pixels);
    }

    [Fact]
    public void What_is_transparent_is_black()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50, 0));
        bitmap.SetPixel(1, 0, new SKColor(200, 100, 50, 51));
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        Assert.Equal([0, 0, 0, 40, 20, 10], ImageDecoder.Decode(png.ToArray()).Pixels);
    }

    /// <summary>A picture of 4×2 pixels, the first of them red, the others blue; without loss.</summary>
    internal static byte[] Encode(SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(4, 2, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int i = 0; i < 8; i++)
            bitmap.SetPixel(i % 4, i / 4, i == 0 ? new SKColor(250, 0, 0) : new SKColor(0, 0, 240));
        using SKPixmap pixels = bitmap.PeekPixels();
        using SKData data = format == SKEncodedImageFormat.Webp ? pixels.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 100)) : pixels.Encode(format, 100);
        return data.ToArray();
    }

    /// <summary>A GIF of 2×2 pixels of black, red, green and blue, a picture for each four indices. Each code is a literal of three bits.</summary>
    internal static byte[] Gif(params int[][] pictures)
    {
        var gif = new List<byte>([.. "GIF89a"u8, 2, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
        foreach (int[] picture in pictures)
        {
            ulong bits = 4; // clear
            int at = 3;
            // The table grows with each literal; a second clear keeps the codes at three bits.
            foreach (int code in (int[])[picture[0], picture[1], 4, picture[2], picture[3], 5])
            {
                bits |= (ulong)code << at;
                at += 3;
            }
            int bytes = (at + 7) / 8;
            gif.AddRange([0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, (byte)bytes]);
            for (int i = 0; i < bytes; i++)
                gif.Add((byte)(bits >> 8 * i));
            gif.Add(0);
        }
        return [.. gif, 0x3B];
    }

    private static byte[] WithExif(byte[] webp, int width, int height, byte[] exif)
    {
        byte[] extended = [8, 0, 0, 0, (byte)(width - 1), 0, 0, (byte)(height - 1), 0, 0];
        byte[] body = [.. "WEBP"u8, .. Chunk("VP8X", extended), .. webp[12..], .. Chunk("EXIF", exif)];
        return [.. "RIFF"u8, .. Length(body), .. body];
    }

    private static byte[] Chunk(string type, byte[] body) => [.. Encoding.ASCII.GetBytes(type), .. Length(body), .. body, .. body.Length % 2 == 1 ? new byte[1] : []];

    private static byte[] Length(byte[] body)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        return length;
    }
}
