using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Reporting;

/// <summary>Compares two detectors without labels: what the teacher surely finds are the objects, and the student is judged by them.</summary>
/// <param name="profile">What their outputs mean.</param>
/// <param name="height">The height of their input in pixels.</param>
/// <param name="width">The width.</param>
internal sealed class DetectionAgreement(DetectionProfile profile, int height, int width)
{
    /// <summary>The score from which on what the teacher finds is an object.</summary>
    public const float LeastScore = 0.3f;

    private readonly List<AnnotatedObject> _objects = [];
    private readonly List<DetectedObject> _found = [];
    private int _images;

    /// <summary>The objects so far.</summary>
    public int Objects => _objects.Count;

    /// <summary>The average precision of the student's boxes, 0 to 1; null where there are no objects.</summary>
    public double? Precision => _objects.Count == 0 ? null : AveragePrecision.Of(_objects, _found).Mean;

    /// <summary>Adds an image.</summary>
    /// <param name="teacher">The teacher's outputs for it, by name.</param>
    /// <param name="student">The student's.</param>
    /// <exception cref="InvalidModelException">They are not those of the profile.</exception>
    public void Add(IReadOnlyDictionary<string, Activation> teacher, IReadOnlyDictionary<string, Activation> student)
    {
        int image = _images++;
        _objects.AddRange(Kept(teacher).Where(c => c.Score >= LeastScore).Select(c => new AnnotatedObject(image, c.Label, c.Box, c.Box.Area)));
        _found.AddRange(Kept(student).Select(c => new DetectedObject(image, c.Label, c.Score, c.Box)));
    }

    private IEnumerable<Candidate> Kept(IReadOnlyDictionary<string, Activation> outputs) => Detector.Kept(profile, DetectionOptions.ForJudging, outputs, height, width);
}
