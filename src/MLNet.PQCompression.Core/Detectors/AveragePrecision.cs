namespace MLNet.PQCompression.Detectors;

/// <summary>What is compared when a detection meets an object.</summary>
public enum OverlapOf
{
    /// <summary>The rectangles.</summary>
    Boxes,

    /// <summary>The pixels.</summary>
    Masks,
}

/// <summary>The figures by which COCO judges detectors, 0 to 1; NaN where there is no object to find.</summary>
/// <param name="Mean">AP: the mean over overlaps of 0.50 to 0.95 in steps of 0.05.</param>
/// <param name="At50">AP at an overlap of 0.50.</param>
/// <param name="At75">AP at an overlap of 0.75.</param>
/// <param name="Small">AP of objects up to 32² pixels.</param>
/// <param name="Medium">AP of objects of 32² to 96² pixels.</param>
/// <param name="Large">AP of objects from 96² pixels on.</param>
/// <param name="Recall">AR: the share of objects found with at most 100 detections a picture, the mean over the overlaps.</param>
public sealed record DetectionMetrics(double Mean, double At50, double At75, double Small, double Medium, double Large, double Recall);

/// <summary>Average precision as COCO defines it: 10 overlaps, 101 points of recall, the mean over the categories, at most 100 detections a picture and category.</summary>
/// <remarks>
/// Detections are taken by falling score; each is given to the free object of its picture and category that it overlaps most, if by the threshold at least. Objects of another size and
/// crowds are set aside: who finds them is neither right nor wrong, and nor is a detection of another size that finds nothing.
/// </remarks>
public static class AveragePrecision
{
    private const int MostDetections = 100;
    private const int RecallPoints = 101;
    private static readonly double[] Thresholds = [.. Enumerable.Range(0, 10).Select(i => 0.5 + (0.05 * i))];
    private static readonly (double Least, double Most) AnySize = (0, 1e10), SmallSize = (0, 32 * 32), MediumSize = (32 * 32, 96 * 96), LargeSize = (96 * 96, 1e10);

    /// <summary>Judges detections.</summary>
    /// <param name="objects">The objects that are there.</param>
    /// <param name="detections">What was found.</param>
    /// <param name="overlap">Whether boxes or masks are compared.</param>
    /// <exception cref="ArgumentException">Masks are to be compared and one is missing.</exception>
    public static DetectionMetrics Of(IEnumerable<AnnotatedObject> objects, IEnumerable<DetectedObject> detections, OverlapOf overlap = OverlapOf.Boxes)
    {
        ArgumentNullException.ThrowIfNull(objects);
        ArgumentNullException.ThrowIfNull(detections);
        PictureMatches[][] categories = Pictures(objects, detections, overlap);
        (double[] precision, double recall) = Mean(categories, AnySize);
        double Single((double, double) size) => Mean(categories, size).Precision.Average();
        return new(precision.Average(), precision[0], precision[5], Single(SmallSize), Single(MediumSize), Single(LargeSize), recall);
    }

    /// <summary>For each category the pictures that have an object or a detection of it.</summary>
    private static PictureMatches[][] Pictures(IEnumerable<AnnotatedObject> objects, IEnumerable<DetectedObject> detections, OverlapOf overlap)
    {
        ILookup<(long, long), AnnotatedObject> there = objects.ToLookup(o => (o.Category, o.Image));
        ILookup<(long, long), DetectedObject> found = detections.ToLookup(d => (d.Category, d.Image));
        return
        [
            .. there.Select(g => g.Key).Union(found.Select(g => g.Key)).Order().GroupBy(key => key.Item1)
                .Select(category => category.Select(key => new PictureMatches([.. there[key]], [.. found[key].OrderByDescending(d => d.Score).Take(MostDetections)], overlap)).ToArray()),
        ];
    }

    /// <summary>The precision for each threshold, the mean over the categories and points of recall, and the recall, the mean over both.</summary>
    private static (double[] Precision, double Recall) Mean(PictureMatches[][] categories, (double Least, double Most) size)
    {
        var precision = new double[Thresholds.Length];
        (double recall, int counted) = (0, 0);
        foreach (PictureMatches[] category in categories)
        {
            int wanted = category.Sum(picture => picture.Wanted(size));
            if (wanted == 0)
                continue;
            counted++;
            for (int t = 0; t < Thresholds.Length; t++)
            {
                (double area, double found) = Curve(category, size, Thresholds[t], wanted);
                precision[t] += area;
                recall += found;
            }
        }
        return counted == 0 ? ([.. precision.Select(_ => double.NaN)], double.NaN) : ([.. precision.Select(p => p / counted)], recall / (counted * Thresholds.Length));
    }

    /// <summary>The mean of the highest precision at or beyond each point of recall, and the last recall.</summary>
    private static (double Area, double Recall) Curve(PictureMatches[] category, (double, double) size, double threshold, int wanted)
    {
        bool[] right = [.. category.SelectMany(picture => picture.Match(size, threshold)).OrderByDescending(m => m.Score).Select(m => m.IsRight)];
        var precision = new double[right.Length];
        var recall = new double[right.Length];
        int hits = 0;
        for (int i = 0; i < right.Length; i++)
        {
            hits += right[i] ? 1 : 0;
            (precision[i], recall[i]) = ((double)hits / (i + 1), (double)hits / wanted);
        }
        for (int i = right.Length - 2; i >= 0; i--)
            precision[i] = Math.Max(precision[i], precision[i + 1]);
        double sum = 0;
        for (int point = 0, i = 0; point < RecallPoints; point++)
        {
            while (i < recall.Length && recall[i] < point / (RecallPoints - 1.0))
                i++;
            sum += i < precision.Length ? precision[i] : 0;
        }
        return (sum / RecallPoints, right.Length == 0 ? 0 : recall[^1]);
    }
}
