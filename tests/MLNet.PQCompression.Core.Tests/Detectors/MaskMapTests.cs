using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Tests.Detectors;

public sealed class MaskMapTests
{
    [Fact]
    public void AMapOfThePicturesSizeIsTakenAsItIs()
    {
        var random = new Random(5);
        float[] values = [.. Enumerable.Range(0, 7 * 9).Select(_ => random.NextSingle())];
        RunLengthMask mask = new MaskMap(values, 7, 9, new(0, 0, 9, 7)).In(PicturePlacement.Same(9, 7));
        Assert.Equal([.. RunLengthMask.Above(values, 7, 9, 0.5f).Counts], mask.Counts.ToArray());
    }

    /// <summary>Two columns, 1 and 0, over a box of eight pixels: half-way between their centres, at 4, the map falls below a half.</summary>
    [Fact]
    public void ASmallMapIsInterpolatedOverItsBox()
    {
        RunLengthMask mask = new MaskMap(new float[] { 1, 0 }, 1, 2, new(2, 0, 10, 1)).In(PicturePlacement.Same(12, 1));
        // It is 1 at 4 and fades to 0 outside of the map: above a half from 2 to 6.
        Assert.Equal([2, 4, 6], mask.Counts.ToArray());
    }

    /// <summary>A picture twice as large as the input, 10 pixels from its left edge.</summary>
    [Fact]
    public void AMapIsBroughtIntoThePicture()
    {
        var placement = new PicturePlacement(40, 20, 0.5, 0.5, 10, 0);
        RunLengthMask mask = new MaskMap(new float[] { 1, 1, 1, 1 }, 2, 2, new(15, 2, 20, 5)).In(placement);
        // x from (15 − 10)·2 = 10 to 20, y from 4 to 10, but for the four corners, where the map fades along both.
        Assert.Equal((10 * 6) - 4, mask.Area);
        Assert.Equal((10 * 20) + 5, mask.Counts[0]);
        Assert.Equal([4, 15, 6], mask.Counts.ToArray()[1..4]);
    }

    [Fact]
    public void AMapOutsideOfThePictureHasNoPixels() =>
        Assert.Equal(0, new MaskMap(new float[] { 1 }, 1, 1, new(100, 100, 120, 120)).In(PicturePlacement.Same(20, 20)).Area);
}
