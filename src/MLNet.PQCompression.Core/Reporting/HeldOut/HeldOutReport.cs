using System.Text.Json.Serialization;

namespace MLNet.PQCompression.Reporting;

/// <summary>How near a compressed network is to its teacher on images that it was not made from.</summary>
public sealed record HeldOutReport
{
    /// <summary>The images that were compared.</summary>
    public required int Images { get; init; }

    /// <summary>What the outputs are.</summary>
    public required OutputKind Kind { get; init; }

    /// <summary>Images on which both name the same class; null for features.</summary>
    public int? Agreement { get; init; }

    /// <summary>KL(teacher ‖ student) in nats, the mean over the images; null for features.</summary>
    [JsonPropertyName("kl")]
    public double? Divergence { get; init; }

    /// <summary>The cosine of both networks' outputs as vectors, the mean over the images and, where there are several outputs, over these; null for classes, and for detectors whose outputs differ in length from image to image.</summary>
    public double? Cosine { get; init; }

    /// <summary>
    /// Of detectors the average precision (COCO's, of boxes, 0 to 1) of the student's detections, judged by the teacher's own of score 0.3 or more as the objects that are there: 1 where the student
    /// finds all that the teacher does, in the same place and before all else. Null for other networks, and where the teacher finds nothing.
    /// </summary>
    public double? AveragePrecision { get; init; }

    /// <summary>The teacher's detections that were to be found; null for networks that are no detectors.</summary>
    public int? Objects { get; init; }

    /// <summary>What that means, in a sentence or two.</summary>
    public required string Meaning { get; init; }

    /// <summary>The images on which the two differ most, the worst first.</summary>
    public required IReadOnlyList<ImageComparison> Worst { get; init; }

    /// <summary>The time it took.</summary>
    public double Seconds { get; init; }

    /// <summary>What is to be small: the mean KL divergence, 1 − the mean cosine or, where neither can be told, 1 − the average precision.</summary>
    [JsonIgnore]
    public double Loss => Divergence ?? 1 - (Cosine ?? AveragePrecision ?? 0);

    /// <summary>The share of answers that are lost: of images on which the two disagree, 1 − the average precision, or 1 − the mean cosine.</summary>
    [JsonIgnore]
    public double LostShare => Agreement is { } same ? 1 - (double)same / Images : 1 - (AveragePrecision ?? Cosine ?? 0);
}

/// <summary>Both networks' answers to an image.</summary>
/// <param name="Image">What the source calls it.</param>
/// <param name="Difference">KL(teacher ‖ student) in nats, or 1 − the cosine.</param>
/// <param name="Teacher">The teacher's likeliest classes, best first; empty for features.</param>
/// <param name="Student">The student's.</param>
public sealed record ImageComparison(string Image, double Difference, IReadOnlyList<ClassProbability> Teacher, IReadOnlyList<ClassProbability> Student);
