using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Drawing;

namespace MLNet.PQCompression.Tests.Images.Drawing;

public sealed class DetectionDrawingTests
{
    private static readonly RgbImage Grey = new(640, 480, [.. Enumerable.Repeat((byte)128, 640 * 480 * 3)]);
    private static readonly DetectionLabels Names = DetectionLabels.Of(DetectionProfile.All.Single(p => p.Name == "yolox"), ["cat", "dog"], 2);

    [Fact]
    public void BoxesAndMasksAreDrawnWhereTheyAre()
    {
        var mask = new RunLengthMask(480, 640, [(320 * 480) + 240, 100, (320 * 480) - 340]);
        DrawnPicture drawn = DetectionDrawing.Draw(Grey, [new(0, 0.9f, new(100, 100, 300, 200)), new(1, 0.8f, new(320, 240, 321, 340), mask)], Names);
        RgbImage picture = ImageDecoder.Decode(drawn.File);
        Assert.Equal((640, 480), (picture.Width, picture.Height));
        Assert.NotEqual((128, 128, 128), At(picture, 100, 150));
        Assert.NotEqual((128, 128, 128), At(picture, 200, 200));
        Assert.NotEqual((128, 128, 128), At(picture, 320, 290));
        Assert.Equal((128, 128, 128), At(picture, 200, 150));
        Assert.Equal((128, 128, 128), At(picture, 500, 400));
        // Two labels, two colours.
        Assert.NotEqual(At(picture, 100, 150), At(picture, 320, 290));
    }

    [Fact]
    public void WithoutAFontNumbersAndALegendTakeThePlaceOfNames()
    {
        DrawnPicture drawn = DetectionDrawing.Draw(Grey, [new(1, 0.61f, new(10, 40, 60, 90)), new(0, 0.9f, new(100, 100, 300, 200))], Names, asJpeg: false, font: null);
        Assert.Equal(["1: cat 90%", "2: dog 61%"], drawn.Legend);
        Assert.NotEqual(DetectionDrawing.Draw(Grey, [], Names, asJpeg: false, font: null).File, drawn.File);
    }

    [Fact]
    public void BothFormatsAreWritten()
    {
        Assert.Equal([0x89, 0x50], DetectionDrawing.Draw(Grey, [], Names).File[..2]);
        Assert.Equal([0xFF, 0xD8], DetectionDrawing.Draw(Grey, [], Names, asJpeg: true).File[..2]);
    }

    [Fact]
    public void ASmallPictureIsEnlarged()
    {
        var small = new RgbImage(128, 100, new byte[128 * 100 * 3]);
        RgbImage drawn = ImageDecoder.Decode(DetectionDrawing.Draw(small, [new(0, 1, new(0, 0, 128, 100))], Names).File);
        Assert.Equal((640, 500), (drawn.Width, drawn.Height));
    }

    private static (int, int, int) At(RgbImage picture, int x, int y)
    {
        int i = 3 * ((y * picture.Width) + x);
        return (picture.Pixels[i], picture.Pixels[i + 1], picture.Pixels[i + 2]);
    }
}
