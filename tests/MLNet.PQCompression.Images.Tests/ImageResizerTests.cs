using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public class ImageResizerTests
{
    [Theory]
    [MemberData(nameof(ResizeSamples.All), MemberType = typeof(ResizeSamples))]
    public void Pixels_equal_pils(int sourceWidth, int sourceHeight, int width, int height, string expected)
    {
        RgbImage image = ImageResizer.Resize(ResizeSamples.Formula(sourceWidth, sourceHeight), width, height);

        Assert.Equal((width, height), (image.Width, image.Height));
        Assert.Equal(Convert.FromBase64String(expected), image.Pixels);
    }

    [Fact]
    public void The_same_size_is_the_same_image()
    {
        RgbImage image = ResizeSamples.Formula(9, 7);

        Assert.Same(image, ImageResizer.Resize(image, 9, 7));
        Assert.Same(image, ImageResizer.CenterCrop(image, 9, 7));
        Assert.Same(image, ImageResizer.ResizeShortSide(image, 7));
    }

    [Theory]
    [InlineData(500, 375, 256, 341, 256)]
    [InlineData(375, 500, 256, 256, 341)]
    [InlineData(100, 100, 256, 256, 256)]
    [InlineData(3, 1, 2, 6, 2)]
    public void The_longer_side_is_rounded_down(int width, int height, int size, int newWidth, int newHeight)
    {
        RgbImage image = ImageResizer.ResizeShortSide(ResizeSamples.Formula(width, height), size);

        Assert.Equal((newWidth, newHeight), (image.Width, image.Height));
    }

    // An odd margin of 2k + 1 leaves k or k + 1 before the crop, whichever is even: Python's round.
    [Theory]
    [InlineData(10, 4, 3)]
    [InlineData(9, 4, 2)]
    [InlineData(11, 4, 4)]
    [InlineData(5, 4, 0)]
    [InlineData(7, 4, 2)]
    public void A_crop_rounds_halves_to_even(int size, int crop, int first)
    {
        RgbImage source = ResizeSamples.Formula(size, size), cropped = ImageResizer.CenterCrop(source, crop, crop);

        Assert.Equal(source.Pixels[((first * size + first) * 3)..((first * size + first + crop) * 3)], cropped.Pixels[..(crop * 3)]);
    }

    [Fact]
    public void A_crop_beyond_the_image_is_padded_with_black()
    {
        RgbImage cropped = ImageResizer.CenterCrop(new(1, 1, [7, 8, 9]), 3, 2);

        Assert.Equal([0, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], cropped.Pixels);
    }

    [Fact]
    public void An_endless_image_is_refused()
    {
        var line = new RgbImage(1_000_000, 1, new byte[3_000_000]);

        Assert.Equal(ImageFault.TooLarge, Assert.Throws<InvalidImageException>(() => ImageResizer.ResizeShortSide(line, 256)).Fault);
    }
}
