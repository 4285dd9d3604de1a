using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

/// <summary>Average precision by the teacher's own detections, for answers that are written down.</summary>
public sealed class DetectionAgreementTests
{
    private static readonly DetectionProfile Profile = DetectionProfile.Named("torchvision")!;

    [Fact]
    public void The_same_detections_have_precision_one_whatever_else_is_unsure()
    {
        var agreement = new DetectionAgreement(Profile, 100, 100);
        agreement.Add(Outputs((10, 1, 0.9f), (50, 2, 0.4f), (70, 1, 0.1f)), Outputs((10, 1, 0.9f), (50, 2, 0.4f), (70, 1, 0.1f)));
        Assert.Equal((2, 1.0), (agreement.Objects, agreement.Precision!.Value)); // 0.1 is no object, and found after all that are.
    }

    [Fact]
    public void What_is_missed_or_elsewhere_or_of_another_class_lowers_it()
    {
        Assert.Equal(0.5, Of((10, 1, 0.9f), (50, 2, 0.8f), student: [(10, 1, 0.9f)]), 6); // One of two classes is found.
        Assert.Equal(0.5, Of((10, 1, 0.9f), (50, 2, 0.8f), student: [(10, 1, 0.9f), (50, 1, 0.8f)]), 6);
        Assert.InRange(Of((10, 1, 0.9f), (50, 2, 0.8f), student: [(10, 1, 0.9f), (52, 2, 0.8f)]), 0.6, 0.9); // Two pixels aside: right at the lower overlaps.
    }

    [Fact]
    public void Where_the_teacher_finds_nothing_there_is_no_precision()
    {
        var agreement = new DetectionAgreement(Profile, 100, 100);
        agreement.Add(Outputs((10, 1, 0.2f)), Outputs((10, 1, 0.9f)));
        Assert.Equal((0, (double?)null), (agreement.Objects, agreement.Precision));
    }

    private static double Of((int, int, float) one, (int, int, float) other, (int, int, float)[] student)
    {
        var agreement = new DetectionAgreement(Profile, 100, 100);
        agreement.Add(Outputs(one, other), Outputs(student));
        return agreement.Precision!.Value;
    }

    /// <summary>Boxes of 20×20 pixels, by their left and upper edge.</summary>
    private static Dictionary<string, Activation> Outputs(params (int At, int Label, float Score)[] found) => new()
    {
        ["boxes"] = new(new(found.Length, 4), found.SelectMany(f => new float[] { f.At, f.At, f.At + 20, f.At + 20 }).ToArray()),
        ["labels"] = new(new(found.Length), found.Select(f => (float)f.Label).ToArray()),
        ["scores"] = new(new(found.Length), found.Select(f => f.Score).ToArray()),
    };
}
