using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Tests.Detectors;

/// <summary>Cases small enough to work out on paper from COCO's definition.</summary>
public sealed class AveragePrecisionTests
{
    private static readonly DetectionBox Here = new(0, 0, 10, 10), There = new(50, 50, 60, 60), Elsewhere = new(100, 0, 110, 10);

    private static AnnotatedObject Object(DetectionBox box, long image = 1, long category = 1, bool isCrowd = false) => new(image, category, box, box.Area, null, isCrowd);

    private static DetectedObject Found(DetectionBox box, double score, long image = 1, long category = 1) => new(image, category, score, box);

    [Fact]
    public void WhatIsFoundExactlyIsPerfect()
    {
        DetectionMetrics metrics = AveragePrecision.Of([Object(Here), Object(There)], [Found(Here, 0.9), Found(There, 0.8)]);
        Assert.Equal((1, 1, 1, 1), (metrics.Mean, metrics.At50, metrics.At75, metrics.Recall));
        Assert.Equal(1, metrics.Small);
        Assert.True(double.IsNaN(metrics.Medium) && double.IsNaN(metrics.Large));
    }

    [Fact]
    public void NothingFoundIsZero() => Assert.Equal(0, AveragePrecision.Of([Object(Here)], []).Mean);

    [Fact]
    public void NothingToFindHasNoPrecision() => Assert.True(double.IsNaN(AveragePrecision.Of([], [Found(Here, 1)]).Mean));

    /// <summary>An overlap of 9×10 by 100: 0.9, right for nine of the ten thresholds (0.50 to 0.90).</summary>
    [Fact]
    public void TheMeanIsOverTheOverlaps()
    {
        DetectionMetrics metrics = AveragePrecision.Of([Object(Here)], [Found(new(0, 0, 9, 10), 1)]);
        Assert.Equal((0.9, 1, 1), (Math.Round(metrics.Mean, 12), metrics.At50, metrics.At75));
    }

    /// <summary>Wrong first, right second, of one object: precision 1/2 at every recall.</summary>
    [Fact]
    public void AWrongDetectionAboveHalvesThePrecision() => Assert.Equal(0.5, AveragePrecision.Of([Object(Here)], [Found(Elsewhere, 0.9), Found(Here, 0.8)]).At50, 12);

    /// <summary>Right first: what comes after full recall costs nothing.</summary>
    [Fact]
    public void AWrongDetectionBelowCostsNothing() => Assert.Equal(1, AveragePrecision.Of([Object(Here)], [Found(Here, 0.9), Found(Elsewhere, 0.8)]).At50, 12);

    /// <summary>One of two objects: precision 1 at recalls 0 to 0.50, that is at 51 of 101 points.</summary>
    [Fact]
    public void HalfTheObjectsGiveFiftyOnePoints() => Assert.Equal(51 / 101.0, AveragePrecision.Of([Object(Here), Object(There)], [Found(Here, 0.9)]).At50, 12);

    [Fact]
    public void ASecondDetectionOfAnObjectIsWrong() =>
        Assert.Equal(((51 * 1.0) + (50 * 2 / 3.0)) / 101, AveragePrecision.Of([Object(Here), Object(There)], [Found(Here, 0.9), Found(Here, 0.8), Found(There, 0.7)]).At50, 12);

    [Fact]
    public void ADetectionInsideACrowdIsSetAside()
    {
        var crowd = new DetectionBox(40, 40, 90, 90);
        DetectionMetrics metrics = AveragePrecision.Of([Object(Here), Object(crowd, isCrowd: true)], [Found(There, 0.9), Found(new(60, 60, 70, 70), 0.8), Found(Here, 0.7)]);
        Assert.Equal(1, metrics.At50, 12);
    }

    [Fact]
    public void CategoriesAndPicturesAreApart()
    {
        DetectionMetrics metrics = AveragePrecision.Of([Object(Here), Object(Here, category: 2)], [Found(Here, 0.9), Found(Here, 0.9, image: 2, category: 2)]);
        Assert.Equal(0.5, metrics.At50, 12);
    }

    [Fact]
    public void ObjectsOfAnotherSizeAreSetAside()
    {
        var large = new DetectionBox(0, 0, 200, 200);
        DetectionMetrics metrics = AveragePrecision.Of([Object(Here), Object(large)], [Found(large, 0.9)]);
        Assert.Equal((0, 1), (metrics.Small, metrics.Large));
    }

    [Fact]
    public void OnlyAHundredDetectionsOfAPictureCount()
    {
        IEnumerable<DetectedObject> wrong = Enumerable.Range(0, 100).Select(i => Found(Elsewhere, 0.9 - (i * 1e-4)));
        Assert.Equal(0, AveragePrecision.Of([Object(Here)], wrong.Append(Found(Here, 0.1))).At50);
    }

    [Fact]
    public void MasksAreComparedByPixels()
    {
        // Two halves of one square: the boxes agree by half, the masks not at all.
        RunLengthMask left = new(2, 2, [0, 2, 2]), right = new(2, 2, [2, 2]);
        var box = new DetectionBox(0, 0, 2, 2);
        AnnotatedObject there = new(1, 1, box, 2, left);
        Assert.Equal(0, AveragePrecision.Of([there], [new(1, 1, 1, box, right)], OverlapOf.Masks).At50);
        Assert.Equal(1, AveragePrecision.Of([there], [new(1, 1, 1, box, left)], OverlapOf.Masks).At50);
        Assert.Throws<ArgumentException>(() => AveragePrecision.Of([there], [Found(box, 1)], OverlapOf.Masks));
    }
}
