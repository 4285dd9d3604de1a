using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public class PngTests
{
    public static TheoryData<int, int, bool, int> Forms
    {
        get
        {
            var forms = new TheoryData<int, int, bool, int>();
            (int Color, int[] Depths)[] kinds = [(0, [1, 2, 4, 8, 16]), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16])];
            foreach ((int color, int[] depths) in kinds)
                foreach (int depth in depths)
                    foreach (int filter in new[] { 0, 5 })
                    {
                        forms.Add(color, depth, false, filter);
                        forms.Add(color, depth, true, filter);
                    }
            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_is_decoded(int color, int depth, bool interlaced, int filter)
    {
        const int Width = 11, Height = 9;
        int channels = color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var random = new Random(color * 100 + depth);
        int[] samples = [.. Enumerable.Range(0, Width * Height * channels).Select(_ => random.Next(1 << depth))];
        byte[] palette = new byte[3 << Math.Min(depth, 8)];
        random.NextBytes(palette);

        RgbImage image = ImageDecoder.Decode(TestPng.Encode(Width, Height, depth, color, samples, interlaced, filter, color == 3 ? palette : null, idatSize: 50));

        int To8(int sample) => depth == 16 ? sample >> 8 : sample * 255 / ((1 << depth) - 1);
        for (int i = 0; i < Width * Height; i++)
            for (int c = 0; c < 3; c++)
            {
                int value = color switch
                {
                    3 => palette[3 * samples[i] + c],
                    2 or 6 => To8(samples[i * channels + c]),
                    _ => To8(samples[i * channels]),
                };
                int alpha = color is 4 or 6 ? To8(samples[i * channels + channels - 1]) : 255;
                Assert.Equal((value * alpha + 127) / 255, image.Pixels[3 * i + c]);
            }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(2, 5)]
    public void Tiny_interlaced_images_lack_some_passes(int width, int height)
    {
        int[] samples = [.. Enumerable.Range(0, width * height)];

        RgbImage image = ImageDecoder.Decode(TestPng.Encode(width, height, 8, 0, samples, interlaced: true));
        Assert.Equal(samples, image.Pixels.Chunk(3).Select(p => (int)p[0]));
    }

    [Fact]
    public void A_damaged_image_is_refused_with_the_chunk_that_is_wrong()
    {
        byte[] png = TestPng.Encode(2, 2, 8, 0, [1, 2, 3, 4]);
        png[png.AsSpan().IndexOf("IDAT"u8) + 9] ^= 1;

        InvalidImageException e = Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(png));
        Assert.Equal(ImageFault.Malformed, e.Fault);
        Assert.Contains("checksum", e.Message, StringComparison.Ordinal);
        Assert.Contains("IDAT", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pixels_with_a_wrong_checksum_are_refused()
    {
        byte[] zlib = TestPng.Zlib([0, 1, 2, 0, 3, 4]);
        zlib[^1] ^= 1;

        InvalidImageException e = Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(WithData(TestPng.Encode(2, 2, 8, 0, [1, 2, 3, 4]), zlib)));
        Assert.Equal(ImageFault.Malformed, e.Fault);
        Assert.Contains("checksum", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_touch_the_pixels_costs_nothing()
    {
        byte[] png = TestPng.Encode(2, 2, 8, 0, [1, 2, 3, 4]), pixels = ImageDecoder.Decode(png).Pixels;
        byte[] wrongText = [.. png], wrongEnd = [.. png];
        wrongText[png.AsSpan().IndexOf("tEXt"u8) + 5] ^= 1;
        wrongEnd[^1] ^= 1;

        Assert.Equal(pixels, ImageDecoder.Decode(wrongText).Pixels);
        Assert.Equal(pixels, ImageDecoder.Decode(wrongEnd).Pixels);
        Assert.Equal(pixels, ImageDecoder.Decode(png.AsSpan(..^12)).Pixels);
        Assert.Equal(pixels, ImageDecoder.Decode([.. png, 1, 2, 3]).Pixels);
    }

    [Theory]
    [InlineData(6, 0, 2)]
    [InlineData(3, 3, 2)]
    [InlineData(1, 0, 1)]
    public void The_orientation_of_an_exif_chunk_is_applied(int orientation, int topLeft, int topRight)
    {
        byte[] png = TestPng.Encode(2, 2, 8, 0, [0, 1, 2, 3]);
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        byte[] turned = [.. png[..33], .. TestPng.Chunk("eXIf", exif), .. png[33..]];

        int[] first = [.. ImageDecoder.Decode(turned).Pixels.Chunk(3).Select(p => (int)p[0]).Take(2)];
        Assert.Equal(orientation == 6 ? [2, 0] : new[] { topLeft, topRight }, first);
        Assert.Equal([0, 1], ImageDecoder.Decode(turned, new() { ApplyOrientation = false }).Pixels.Chunk(3).Select(p => (int)p[0]).Take(2));
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(3, 16)]
    [InlineData(1, 8)]
    public void Forms_that_do_not_exist_are_refused(int color, int depth) =>
        Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, depth, color, [0, 0, 0], palette: [1, 2, 3])));

    [Fact]
    public void A_missing_palette_is_refused() => Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, 8, 3, [0])));

    [Fact]
    public void Too_little_data_is_truncation()
    {
        byte[] png = TestPng.Encode(1, 1, 8, 0, [0]);
        byte[] header = png[16..29];
        header[7] = 4;
        Assert.Equal(ImageFault.Truncated, Fault([.. TestPng.Signature, .. TestPng.Chunk("IHDR", header), .. png[33..]]));
    }

    /// <summary>The same file with other compressed pixels.</summary>
    private static byte[] WithData(byte[] png, byte[] zlib)
    {
        int start = png.AsSpan().IndexOf("IDAT"u8) - 4, end = png.AsSpan().IndexOf("IEND"u8) - 4;
        return [.. png[..start], .. TestPng.Chunk("IDAT", zlib), .. png[end..]];
    }

    private static ImageFault Fault(byte[] png) => Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(png)).Fault;
}
