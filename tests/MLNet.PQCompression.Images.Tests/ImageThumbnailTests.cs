using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public sealed class ImageThumbnailTests
{
    [Theory]
    [InlineData(300, 150, 100, 50)]
    [InlineData(20, 40, 20, 40)]
    [InlineData(4000, 3, 100, 1)]
    public void An_image_keeps_its_proportions_and_colours(int width, int height, int smallWidth, int smallHeight)
    {
        var pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i += 3)
            (pixels[i], pixels[i + 1], pixels[i + 2]) = (200, 100, 30);
        RgbImage small = ImageDecoder.Decode(ImageThumbnail.Jpeg(new(width, height, pixels), 100));
        Assert.Equal((smallWidth, smallHeight), (small.Width, small.Height));
        Assert.All(new[] { (0, 200), (1, 100), (2, 30) }, c => Assert.InRange(small.Pixels[c.Item1], c.Item2 - 6, c.Item2 + 6));
    }
}
