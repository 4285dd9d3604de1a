namespace MLNet.PQCompression.Detectors;

/// <summary>The objects and detections of one category in one picture, and how much each pair overlaps.</summary>
internal sealed class PictureMatches
{
    private readonly AnnotatedObject[] _objects;
    private readonly DetectedObject[] _detections;
    private readonly double[] _detectedAreas;
    private readonly double[,] _overlaps;

    /// <summary>Creates the pairs; detections come by falling score.</summary>
    public PictureMatches(AnnotatedObject[] objects, DetectedObject[] detections, OverlapOf overlap)
    {
        (_objects, _detections) = (objects, detections);
        _detectedAreas = [.. detections.Select(d => overlap == OverlapOf.Boxes ? d.Box.Area : Mask(d.Mask).Area)];
        _overlaps = new double[detections.Length, objects.Length];
        for (int d = 0; d < detections.Length; d++)
            for (int o = 0; o < objects.Length; o++)
            {
                (double both, double own) = overlap == OverlapOf.Boxes
                    ? (detections[d].Box.Intersection(objects[o].Box), objects[o].Box.Area)
                    : (Mask(detections[d].Mask).Intersection(Mask(objects[o].Mask)), Mask(objects[o].Mask).Area);
                // A crowd is not one object, so what matters is how much of the detection lies in it.
                double whole = objects[o].IsCrowd ? _detectedAreas[d] : _detectedAreas[d] + own - both;
                _overlaps[d, o] = whole > 0 ? both / whole : 0;
            }
    }

    /// <summary>How many objects of a size are to be found.</summary>
    public int Wanted((double Least, double Most) size) => _objects.Count(o => Counts(o, size));

    /// <summary>The detections that count at an overlap, and whether each is right.</summary>
    public IEnumerable<(double Score, bool IsRight)> Match((double Least, double Most) size, double threshold)
    {
        // Objects that count come first: a detection is set aside only where it finds none of them.
        int[] order = [.. Enumerable.Range(0, _objects.Length).OrderBy(o => !Counts(_objects[o], size))];
        var taken = new bool[_objects.Length];
        for (int d = 0; d < _detections.Length; d++)
        {
            int match = Best(d, order, taken, size, threshold);
            if (match >= 0)
                taken[match] = true;
            bool isSetAside = match >= 0 ? !Counts(_objects[match], size) : _detectedAreas[d] < size.Least || _detectedAreas[d] > size.Most;
            if (!isSetAside)
                yield return (_detections[d].Score, match >= 0);
        }
    }

    private int Best(int detection, int[] order, bool[] taken, (double, double) size, double threshold)
    {
        (int match, double most) = (-1, Math.Min(threshold, 1 - 1e-10));
        foreach (int o in order)
        {
            if (taken[o] && !_objects[o].IsCrowd)
                continue;
            if (match >= 0 && Counts(_objects[match], size) && !Counts(_objects[o], size))
                break;
            if (_overlaps[detection, o] >= most)
                (match, most) = (o, _overlaps[detection, o]);
        }
        return match;
    }

    private static bool Counts(AnnotatedObject o, (double Least, double Most) size) => !o.IsCrowd && o.Area >= size.Least && o.Area <= size.Most;

    private static RunLengthMask Mask(RunLengthMask? mask) => mask ?? throw new ArgumentException("Masks are to be compared, and an object or detection has none.");
}
