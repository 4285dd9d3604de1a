using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images.Detectors;

/// <summary>Where a picture lies in a network's input, for every way to fit it in.</summary>
public sealed class PicturePlacementTests
{
    public static TheoryData<string> Fits => ["none", "exact", "short:40", "letterbox:0", "letterbox-top-left:0"];

    /// <summary>A white square in a black picture is found in the frame where the placement puts it, to a pixel.</summary>
    [Theory]
    [MemberData(nameof(Fits))]
    public void ThePlacementIsWhereThePixelsGo(string fit)
    {
        (int width, int height, DetectionBox square) = (90, 60, new DetectionBox(36, 20, 54, 38));
        var pixels = new byte[3 * width * height];
        for (int y = (int)square.Top; y < square.Bottom; y++)
            pixels.AsSpan(3 * ((y * width) + (int)square.Left), 3 * (int)(square.Right - square.Left)).Fill(255);
        ImagePreprocessing preprocessing = Of(fit);
        RgbImage frame = preprocessing.Frame(new(width, height, pixels));
        (int X, int Y)[] white = [.. Enumerable.Range(0, frame.Width * frame.Height).Where(i => frame.Pixels[3 * i] > 127).Select(i => (i % frame.Width, i / frame.Width))];
        DetectionBox seen = new(white.Min(p => p.X), white.Min(p => p.Y), white.Max(p => p.X) + 1, white.Max(p => p.Y) + 1), said = preprocessing.Place(width, height).ToInput(square);
        Assert.Equal(said.Left, seen.Left, 1.0);
        Assert.Equal(said.Top, seen.Top, 1.0);
        Assert.Equal(said.Right, seen.Right, 1.0);
        Assert.Equal(said.Bottom, seen.Bottom, 1.0);
    }

    [Theory]
    [MemberData(nameof(Fits))]
    public void BoxesComeBack(string fit)
    {
        foreach ((int width, int height) in (ReadOnlySpan<(int, int)>)[(90, 60), (33, 100), (7, 5), (48, 48)])
        {
            PicturePlacement placement = Of(fit).Place(width, height);
            var box = new DetectionBox(0.1 * width, 0.3 * height, 0.7 * width, 0.9 * height);
            DetectionBox back = placement.ToPicture(placement.ToInput(box));
            foreach ((double expected, double actual) in (ReadOnlySpan<(double, double)>)[(box.Left, back.Left), (box.Top, back.Top), (box.Right, back.Right), (box.Bottom, back.Bottom)])
                Assert.Equal(expected, actual, 9);
        }
    }

    [Fact]
    public void BoxesAreCutOffAtThePicturesEdges() =>
        Assert.Equal(new(0, 0, 100, 50), Of("letterbox:0").Place(100, 50).ToPicture(new(-20, -20, 200, 200)));

    [Fact]
    public void ALetterboxLeavesItsGreyWhereItIsSaid()
    {
        var white = new RgbImage(100, 50, [.. Enumerable.Repeat((byte)255, 100 * 50 * 3)]);
        RgbImage centred = Of("letterbox:7").Frame(white), corner = Of("letterbox-top-left:9").Frame(white);
        Assert.Equal((7, 255, 7), (centred.Pixels[0], centred.Pixels[(24 * 48 + 24) * 3], centred.Pixels[^1]));
        Assert.Equal((255, 9), (corner.Pixels[0], corner.Pixels[^1]));
        Assert.Equal(Of("letterbox-top-left:9"), ImagePreprocessing.Parse(Of("letterbox-top-left:9").ToString()));
    }

    private static ImagePreprocessing Of(string fit) => ImagePreprocessing.Parse($"resize={fit};crop=48x48");
}
