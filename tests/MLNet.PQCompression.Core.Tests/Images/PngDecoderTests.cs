using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Png;

namespace MLNet.PQCompression.Tests.Images;

public class PngDecoderTests
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
                Assert.Equal(color switch
                {
                    3 => palette[3 * samples[i] + c],
                    2 or 6 => To8(samples[i * channels + c]),
                    _ => To8(samples[i * channels]),
                }, image.Pixels[3 * i + c]);
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
    public void A_wrong_checksum_is_named()
    {
        byte[] png = TestPng.Encode(2, 2, 8, 0, [1, 2, 3, 4]);
        png[PngDecoder.Signature.Length + 8 + 13] ^= 1;

        InvalidImageException e = Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(png));
        Assert.Equal(ImageFault.Malformed, e.Fault);
        Assert.Contains("IHDR", e.Message);
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(3, 16)]
    [InlineData(1, 8)]
    public void Forms_that_do_not_exist_are_refused(int color, int depth) =>
        Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, depth, color, [0, 0, 0], palette: [1, 2, 3])));

    [Fact]
    public void A_colour_beyond_the_palette_is_refused() =>
        Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, 8, 3, [1], palette: [1, 2, 3])));

    [Fact]
    public void A_missing_palette_is_refused() => Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, 8, 3, [0])));

    [Fact]
    public void An_unknown_filter_is_refused() => Assert.Equal(ImageFault.Malformed, Fault(TestPng.Encode(1, 1, 8, 0, [0], filter: 6)));

    [Fact]
    public void An_unknown_critical_chunk_is_refused()
    {
        byte[] png = TestPng.Encode(1, 1, 8, 0, [0]);
        Assert.Equal(ImageFault.Unsupported, Fault([.. png[..33], .. TestPng.Chunk("ABCD", []), .. png[33..]]));
    }

    [Fact]
    public void Too_little_data_is_truncation()
    {
        byte[] png = TestPng.Encode(1, 1, 8, 0, [0]);
        byte[] header = png[16..29];
        header[7] = 4;
        Assert.Equal(ImageFault.Truncated, Fault([.. PngDecoder.Signature, .. TestPng.Chunk("IHDR", header), .. png[33..]]));
    }

    private static ImageFault Fault(byte[] png) => Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(png)).Fault;
}
