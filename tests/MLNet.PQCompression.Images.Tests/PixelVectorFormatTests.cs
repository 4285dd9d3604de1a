using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>A vector of pixels gives a network what the same pixels give as an image.</summary>
public sealed class PixelVectorFormatTests
{
    private static readonly ImagePreprocessing Preprocessing = new() { Width = 3, Height = 2, Resize = ResizeMode.None };

    private readonly RgbImage _image = new(3, 2, [.. Enumerable.Range(0, 18).Select(i => (byte)(i * 14))]);

    [Theory]
    [InlineData(ChannelOrder.Rgb)]
    [InlineData(ChannelOrder.Bgr)]
    public void Every_layout_and_order_agrees_with_the_image(ChannelOrder model)
    {
        ImagePreprocessing preprocessing = Preprocessing with { Order = model, Mean = [0.1f, 0.2f, 0.3f], Std = [0.5f, 0.6f, 0.7f] };
        var expected = new float[18];
        preprocessing.Apply(_image, expected);
        float[] interleaved = [.. _image.Pixels.Select(p => (float)p)];
        float[] reversed = [.. interleaved.Chunk(3).SelectMany(p => p.Reverse())];
        AssertGives(expected, interleaved, new(PixelLayout.Interleaved), preprocessing);
        AssertGives(expected, reversed, new(PixelLayout.Interleaved, ChannelOrder.Bgr), preprocessing);
        AssertGives(expected, Planes(interleaved), new(), preprocessing);
        AssertGives(expected, Planes(reversed), new(PixelLayout.Planar, ChannelOrder.Bgr), preprocessing);
    }

    [Fact]
    public void Normalised_values_pass_as_they_are()
    {
        float[] values = [.. Enumerable.Range(0, 18).Select(i => i / 7f - 1)];
        AssertGives(values, values, new(Normalized: true), Preprocessing);
    }

    [Fact]
    public void One_plane_has_no_order()
    {
        ImagePreprocessing grey = Preprocessing with { Order = ChannelOrder.Grey, Mean = [0], Std = [1] };
        AssertGives([0, 1, 0.2f, 0.4f, 0.6f, 0.8f], [0, 255, 51, 102, 153, 204], new(PixelLayout.Interleaved, ChannelOrder.Bgr), grey);
    }

    [Fact]
    public void A_vector_of_another_length_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new PixelVectorFormat().Apply(new float[17], Preprocessing, new float[18]));
        Assert.Contains("17", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new PixelVectorFormat().Apply(new float[18], Preprocessing, new float[17]));
    }

    private static float[] Planes(float[] interleaved) => [.. Enumerable.Range(0, 3).SelectMany(c => interleaved.Chunk(3).Select(p => p[c]))];

    private static void AssertGives(float[] expected, float[] values, PixelVectorFormat format, ImagePreprocessing preprocessing)
    {
        var actual = new float[expected.Length];
        format.Apply(values, preprocessing, actual);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 6);
    }
}
