using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Reporting;

/// <summary>How a detector did on annotated pictures. Figures are 0 to 1.</summary>
public sealed record DetectionReport
{
    /// <summary>The pictures that were looked at.</summary>
    public required int Images { get; init; }

    /// <summary>The objects in them, crowds aside.</summary>
    public required int Objects { get; init; }

    /// <summary>What the outputs were taken for.</summary>
    public required string Profile { get; init; }

    /// <summary>What ran the detector.</summary>
    public required string Engine { get; init; }

    /// <summary>Average precision of the boxes (IoU 0.50 to 0.95); null where no object is annotated.</summary>
    public double? BoxAP => Mean(DetectionFigures.OfModel, OverlapOf.Boxes);

    /// <summary>Average precision of the masks; null where the detector or the annotations have none.</summary>
    public double? MaskAP => Mean(DetectionFigures.OfModel, OverlapOf.Masks);

    /// <summary>The teacher's <see cref="BoxAP"/>; null without a teacher.</summary>
    public double? TeacherBoxAP => Mean(DetectionFigures.OfTeacher, OverlapOf.Boxes);

    /// <summary>The teacher's <see cref="MaskAP"/>; null without a teacher.</summary>
    public double? TeacherMaskAP => Mean(DetectionFigures.OfTeacher, OverlapOf.Masks);

    /// <summary>All figures, of the model and its teacher, of boxes and masks.</summary>
    public required IReadOnlyList<DetectionFigures> Figures { get; init; }

    /// <summary>What was not counted, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The pictures that could not be used, which no figure counts.</summary>
    public IReadOnlyList<SkippedImage> Skipped { get; init; } = [];

    /// <summary>The time it took, reading and decoding included.</summary>
    public double Seconds { get; init; }

    private double? Mean(string model, OverlapOf overlap) => Figures.FirstOrDefault(f => f.Model == model && f.Of == overlap)?.Ap;
}

/// <summary>The figures of one detector; null where there is no object of that size.</summary>
/// <param name="Model"><see cref="OfModel"/> or <see cref="OfTeacher"/>.</param>
/// <param name="Of">What was compared.</param>
/// <param name="Ap">Average precision, the mean over overlaps of 0.50 to 0.95.</param>
/// <param name="Ap50">At an overlap of 0.50.</param>
/// <param name="Ap75">At an overlap of 0.75.</param>
/// <param name="Small">Of objects up to 32² pixels.</param>
/// <param name="Medium">Of objects of 32² to 96² pixels.</param>
/// <param name="Large">Of objects from 96² pixels on.</param>
/// <param name="Recall">The share of objects that were found, the mean over the overlaps.</param>
public sealed record DetectionFigures(string Model, OverlapOf Of, double? Ap, double? Ap50, double? Ap75, double? Small, double? Medium, double? Large, double? Recall)
{
    /// <summary>The detector that is evaluated.</summary>
    public const string OfModel = "model";

    /// <summary>The one it is compared with.</summary>
    public const string OfTeacher = "teacher";

    /// <summary>Figures as they are reported.</summary>
    public static DetectionFigures Create(string model, OverlapOf overlap, DetectionMetrics m)
    {
        return new(model, overlap, Known(m.Mean), Known(m.At50), Known(m.At75), Known(m.Small), Known(m.Medium), Known(m.Large), Known(m.Recall));

        static double? Known(double value) => double.IsNaN(value) ? null : value;
    }
}
