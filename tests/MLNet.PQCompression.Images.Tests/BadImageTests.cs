using System.Text;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>Whatever the bytes say, decoding ends with an image or an <see cref="InvalidImageException"/>, in bounded memory.</summary>
public class BadImageTests
{
    public static TheoryData<string> Files => [.. All.Keys];

    private static readonly SortedDictionary<string, byte[]> All = new(StringComparer.Ordinal)
    {
        ["jpeg baseline"] = JpegSamples.Stream("Baseline420"),
        ["jpeg progressive"] = JpegSamples.Stream("Progressive420"),
        ["jpeg restart"] = JpegSamples.Stream("NonInterleaved420Restart"),
        ["jpeg ycck"] = JpegSamples.Stream("AdobeYcck"),
        ["png palette"] = TestPng.Encode(5, 5, 4, 3, [.. Enumerable.Repeat(1, 25)], palette: new byte[48]),
        ["png interlaced"] = TestPng.Encode(9, 9, 8, 2, [.. Enumerable.Range(0, 243)], interlaced: true, filter: 5),
        ["webp"] = OtherFormatTests.Encode(SkiaSharp.SKEncodedImageFormat.Webp),
        ["gif"] = OtherFormatTests.Gif([0, 1, 2, 3]),
        ["bmp 8"] = BmpTests.Bmp(2, 2, 8, 0, [1, 2, 0, 0, 2, 0, 0, 0]),
        ["bmp rle"] = BmpTests.Bmp(3, 3, 8, 1, [2, 1, 0, 0, 0, 3, 2, 0, 1, 0, 0, 0, 0, 2, 1, 0, 1, 2, 0, 1]),
        ["bmp fields"] = BmpTests.Bmp(2, 1, 16, 3, [0x00, 0xF8, 0xE0, 0x07], [0, 0xF8, 0, 0, 0xE0, 0x07, 0, 0, 0x1F, 0, 0, 0]),
        ["ppm"] = Encoding.Latin1.GetBytes("P3 1 2 255 1 2 3\n4\n5 6\n"),
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Truncated_at_every_byte(string file)
    {
        byte[] whole = All[file];
        RgbImage expected = ImageDecoder.Decode(whole);
        int refused = 0;
        for (int length = 0; length < whole.Length; length++)
        {
            foreach (bool allow in new[] { false, true })
                try
                {
                    RgbImage image = ImageDecoder.Decode(whole.AsSpan(0, length), new() { AllowTruncated = allow });
                    Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
                }
                catch (InvalidImageException)
                {
                    refused++;
                }
        }
        Assert.True(refused >= whole.Length / 3, $"only {refused} of {whole.Length} truncations were noticed");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Random_bytes_changed(string file)
    {
        byte[] whole = All[file];
        var random = new Random(20);
        var options = new ImageDecoderOptions { MaxPixels = 1 << 20 };
        for (int round = 0; round < 1500; round++)
        {
            byte[] changed = [.. whole];
            for (int i = random.Next(1, 4); i > 0; i--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            try
            {
                RgbImage image = ImageDecoder.Decode(changed, options);
                Assert.InRange((long)image.Width * image.Height, 1, options.MaxPixels);
            }
            catch (InvalidImageException)
            {
                // The outcome that is allowed beside an image.
            }
        }
    }

    [Fact]
    public void Random_bytes_after_each_signature()
    {
        var random = new Random(21);
        byte[][] signatures = [[0xFF, 0xD8], [0xFF, 0xD8, 0xFF, 0xC0], [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A], [(byte)'B', (byte)'M'], [(byte)'P', (byte)'6', (byte)' ']];
        foreach (byte[] signature in signatures)
            for (int round = 0; round < 200; round++)
            {
                var noise = new byte[random.Next(200)];
                random.NextBytes(noise);
                Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode([.. signature, .. noise]));
            }
    }

    [Fact]
    public void Hostile_dimensions_allocate_nothing_like_them()
    {
        byte[] jpeg = JpegSamples.Stream("Progressive420");
        int frame = jpeg.AsSpan().IndexOf(new byte[] { 0xFF, 0xC2 });
        jpeg.AsSpan(frame + 5, 4).Fill(0x27); // 10,023 × 10,023: just above the limit
        byte[] withinLimit = [.. jpeg];
        withinLimit[frame + 5] = withinLimit[frame + 7] = 0x26; // 9,767 × 9,767: within it, but not in so few bytes
        byte[] png = TestPng.Encode(9000, 1, 1, 0, new int[9000]);
        png = [.. png[..16], .. TestPng.Chunk("IHDR", [0, 0, 0x23, 0x28, 0, 0, 0x23, 0x28, 8, 2, 0, 0, 0])[8..21], .. png[29..]];
        png = [.. png[..8], .. TestPng.Chunk("IHDR", png[16..29]), .. png[33..]];
        byte[] bmp = BmpTests.Bmp(9000, 9000, 24, 0, new byte[16]);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(ImageFault.TooLarge, Fault(jpeg));
        Assert.Equal(ImageFault.Truncated, Fault(withinLimit));
        Assert.Equal(ImageFault.Truncated, Fault(png));
        Assert.Equal(ImageFault.Truncated, Fault(bmp));
        Assert.Equal(ImageFault.Truncated, Fault(BmpTests.Bmp(int.MaxValue, int.MinValue, 24, 0, [])));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void The_limit_is_the_callers()
    {
        byte[] png = TestPng.Encode(10, 10, 8, 0, new int[100]);

        Assert.Equal(10, ImageDecoder.Decode(png, new() { MaxPixels = 100 }).Width);
        Assert.Equal(ImageFault.TooLarge, Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(png, new() { MaxPixels = 99 })).Fault);
    }

    [Fact]
    public void Many_scans_are_refused()
    {
        byte[] jpeg = JpegSamples.Stream("ProgressiveGrey");
        int scan = jpeg.AsSpan().IndexOf(new byte[] { 0xFF, 0xDA }), next = jpeg.AsSpan(scan + 2).IndexOf((byte)0xFF) + scan + 2;
        byte[] first = jpeg[scan..next];

        InvalidImageException e = Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode([.. jpeg[..next], .. Enumerable.Repeat(first, 300).SelectMany(s => s), 0xFF, 0xD9]));
        Assert.Contains("301 scans", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", ImageFault.UnknownFormat, "it is empty")]
    [InlineData("Hello", ImageFault.UnknownFormat, "48656C6C")]
    [InlineData("II*\0abcd", ImageFault.Unsupported, "TIFF")]
    [InlineData("\0\0\0\u0018ftypheic", ImageFault.Unsupported, "HEIF")]
    public void Other_formats_are_refused_by_name(string text, ImageFault fault, string found)
    {
        InvalidImageException e = Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(Encoding.Latin1.GetBytes(text)));
        Assert.Equal(fault, e.Fault);
        Assert.Contains(found, e.Message, StringComparison.Ordinal);
    }

    private static ImageFault Fault(byte[] image) => Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(image)).Fault;
}
