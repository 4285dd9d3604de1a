using System.Globalization;
using System.IO.Compression;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public class JpegTests
{
    [Theory]
    [MemberData(nameof(JpegSamples.Names), MemberType = typeof(JpegSamples))]
    public void Pixels_equal_libjpegs(string name)
    {
        RgbImage image = ImageDecoder.Decode(JpegSamples.Stream(name));

        Assert.Equal(JpegSamples.Size(name), (image.Width, image.Height));
        Assert.Equal(JpegSamples.Pixels(name), image.Pixels);
    }

    [SkippableFact]
    public void Cifar_images_equal_libjpegs()
    {
        NpyFile expected = NpyFile.Load(SharedData.Require("reference/cifar16_u8.npy"));
        string[] names = File.ReadAllLines(SharedData.Require("reference/cifar16_names.txt"));
        using var source = ImageSource.Open(SharedData.Require("cifar/cifar10-test-jpg.zip"));
        byte[] pixels = [.. names.SelectMany(name => source.Decode(IndexOf(source, name)).Pixels)];

        Assert.Equal([16, 32, 32, 3], expected.Shape);
        Assert.Equal(expected.Ints(), pixels.Select(p => (int)p));
    }

    [Theory]
    [InlineData(1, 21, 13, new[] { 0, 1, 2 })]
    [InlineData(2, 21, 13, new[] { 20, 19, 18 })]
    [InlineData(3, 21, 13, new[] { 272, 271, 270 })]
    [InlineData(4, 21, 13, new[] { 252, 253, 254 })]
    [InlineData(5, 13, 21, new[] { 0, 21, 42 })]
    [InlineData(6, 13, 21, new[] { 252, 231, 210 })]
    [InlineData(7, 13, 21, new[] { 272, 251, 230 })]
    [InlineData(8, 13, 21, new[] { 20, 41, 62 })]
    public void Exif_orientation_turns_the_image(int orientation, int width, int height, int[] firstPixels)
    {
        byte[] upright = JpegSamples.Pixels("Baseline444");
        foreach (bool little in new[] { false, true })
        {
            byte[] stream = WithOrientation(JpegSamples.Stream("Baseline444"), orientation, little);
            RgbImage image = ImageDecoder.Decode(stream);

            Assert.Equal((width, height), (image.Width, image.Height));
            Assert.Equal(firstPixels.SelectMany(i => upright[(3 * i)..(3 * i + 3)]), image.Pixels[..9]);
            Assert.Equal(upright.Order(), image.Pixels.Order());
            Assert.Equal(upright, ImageDecoder.Decode(stream, new() { ApplyOrientation = false }).Pixels);
        }
    }

    [Theory]
    [InlineData(0xC3)]
    [InlineData(0xC5)]
    public void Other_processes_are_refused(byte marker)
    {
        byte[] stream = JpegSamples.Stream("Baseline444");
        stream[Find(stream, 0xC0)] = marker;

        Assert.Contains("JPEG", Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(stream)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_image_is_refused_or_decoded_as_far_as_it_goes()
    {
        byte[] stream = JpegSamples.Stream("Restart420"), whole = JpegSamples.Pixels("Restart420");
        byte[] half = stream[..(stream.Length - 150)];

        Assert.Equal(ImageFault.Truncated, Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(half)).Fault);
        RgbImage image = ImageDecoder.Decode(half, new() { AllowTruncated = true });
        Assert.Equal(whole[..30], image.Pixels[..30]);
        Assert.NotEqual(whole, image.Pixels);
    }

    [Theory]
    [InlineData("Baseline420")]
    [InlineData("Baseline444")]
    [InlineData("Progressive420")]
    [InlineData("Restart420")]
    public void A_missing_end_marker_costs_nothing(string name) =>
        Assert.Equal(JpegSamples.Pixels(name), ImageDecoder.Decode(JpegSamples.Stream(name).AsSpan(..^2)).Pixels);

    private static int IndexOf(ImageSource source, string name) => source.Images.Select((image, i) => (image, i)).First(p => p.image.Name == name).i;

    private static int Find(byte[] stream, byte marker)
    {
        for (int i = 0; i + 1 < stream.Length; i++)
            if (stream[i] == 0xFF && stream[i + 1] == marker)
                return i + 1;
        throw new InvalidOperationException($"There is no marker FF{marker.ToString("X2", CultureInfo.InvariantCulture)}.");
    }

    internal static byte[] WithOrientation(byte[] stream, int orientation, bool little)
    {
        byte[] exif = little
            ? [.. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
            : [.. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        return [.. stream[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. stream[2..]];
    }
}
