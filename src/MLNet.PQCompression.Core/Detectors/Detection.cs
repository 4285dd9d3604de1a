namespace MLNet.PQCompression.Detectors;

/// <summary>An object that a detector sees in a picture.</summary>
/// <param name="Label">The class, as the detector numbers them; see <see cref="DetectionProfile.Labels"/>.</param>
/// <param name="Score">How sure the detector is, 0 to 1.</param>
/// <param name="Box">Where it is, in pixels of the picture.</param>
/// <param name="Mask">Its pixels in the picture, or null where the detector gives none.</param>
public sealed record Detection(int Label, float Score, DetectionBox Box, RunLengthMask? Mask = null);

/// <summary>A detection before it is brought into the picture: all in pixels of the network's input.</summary>
/// <param name="Label">The class, as the detector numbers them.</param>
/// <param name="Score">How sure the detector is, 0 to 1.</param>
/// <param name="Box">Where it is.</param>
/// <param name="Mask">How surely each place belongs to it, or null.</param>
public sealed record Candidate(int Label, float Score, DetectionBox Box, MaskMap? Mask = null);

/// <summary>Which detections are kept.</summary>
public sealed record DetectionOptions
{
    /// <summary>What average precision looks at: nearly all detections, since it is their order that counts, and 300 of a picture, of which at most 100 of each category count.</summary>
    public static DetectionOptions ForJudging { get; } = new() { LeastScore = 0.001f, MostDetections = 300 };

    /// <summary>What a detection's score must reach.</summary>
    public float LeastScore { get; init; } = 0.05f;

    /// <summary>By how much two boxes of a class may overlap (intersection over union) before the less sure one is left out; null takes what the profile's detectors are used with.</summary>
    public double? MostOverlap { get; init; }

    /// <summary>How many detections of a picture are kept, the surest first.</summary>
    public int MostDetections { get; init; } = 100;
}
