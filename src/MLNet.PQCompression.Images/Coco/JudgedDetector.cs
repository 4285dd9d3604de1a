using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Images.Coco;

/// <summary>A detector with all that it has found in annotated pictures so far.</summary>
internal sealed class JudgedDetector
{
    private readonly Detector _detector;
    private readonly bool _hasMasks;
    private readonly IReadOnlyDictionary<int, long> _categories;
    private readonly List<DetectedObject> _found = [];
    private readonly SortedDictionary<int, int> _strangers = [];

    /// <exception cref="Graph.InvalidModelException">The detector's classes and the annotations' categories do not belong together.</exception>
    public JudgedDetector(Detector detector, DetectionLabels labels, CocoAnnotations annotations)
    {
        _detector = detector;
        _hasMasks = annotations.HasMasks;
        _categories = labels.Categories(detector.Profile, annotations.Categories, detector.Classes);
    }

    /// <summary>What could not be judged, a sentence each.</summary>
    public IEnumerable<string> Notes => _strangers.Count == 0 ? [] :
        [$"{_strangers.Values.Sum()} detections have labels that are no category of the annotations ({string.Join(", ", _strangers.Keys.Take(10))}{(_strangers.Count > 10 ? ", …" : "")}); they are not counted."];

    /// <summary>Finds the objects in a picture.</summary>
    public void Look(RgbImage image, CocoPicture picture, ImagePreprocessing preprocessing)
    {
        foreach (Detection detection in _detector.Detect(image, preprocessing))
            if (_categories.TryGetValue(detection.Label, out long category))
                _found.Add(new(picture.Id, category, detection.Score, detection.Box, _hasMasks ? detection.Mask : null));
            else
                _strangers[detection.Label] = _strangers.GetValueOrDefault(detection.Label) + 1;
    }

    /// <summary>Average precision of all that was found: of boxes, and of masks where both sides have them.</summary>
    public IEnumerable<DetectionFigures> Judge(string name, IReadOnlyList<AnnotatedObject> objects)
    {
        yield return DetectionFigures.Create(name, OverlapOf.Boxes, AveragePrecision.Of(objects, _found));
        if (_hasMasks && _found.Count > 0 && _found.TrueForAll(f => f.Mask is not null))
            yield return DetectionFigures.Create(name, OverlapOf.Masks, AveragePrecision.Of(objects, _found, OverlapOf.Masks));
    }
}
