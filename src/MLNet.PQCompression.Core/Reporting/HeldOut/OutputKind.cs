using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>What a network's output is, and so how two networks' outputs are compared.</summary>
public enum OutputKind
{
    /// <summary>Scores of classes: compared by KL divergence and by whether both name the same class.</summary>
    Classes,

    /// <summary>Anything else, such as features or maps: compared by the angle between the two outputs as vectors.</summary>
    Features,

    /// <summary>Boxes of objects, as a known family of detectors gives them: compared like features and by what each finds.</summary>
    Detections,
}

/// <summary>Tells what a network's output is.</summary>
internal static class OutputKinds
{
    /// <summary>Detections where the outputs are those of one known family of detectors, else classes or features.</summary>
    public static OutputKind Of(ModelGraph model, int height, int width) => DetectionProfile.Find(model, height, width) is null ? Of(model) : OutputKind.Detections;

    /// <summary>Classes where the only output is scores of them (<see cref="ClassScores"/>), else features.</summary>
    public static OutputKind Of(ModelGraph model) => ClassScores.AreOutputOf(model) ? OutputKind.Classes : OutputKind.Features;
}
