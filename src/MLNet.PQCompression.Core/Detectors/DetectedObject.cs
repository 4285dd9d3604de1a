namespace MLNet.PQCompression.Detectors;

/// <summary>An object that a detector found.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Category">The category's number, as the annotations count.</param>
/// <param name="Score">How sure the detector is; only the order matters.</param>
/// <param name="Box">Where it is.</param>
/// <param name="Mask">Its pixels, or null where the detector gives none.</param>
public sealed record DetectedObject(long Image, long Category, double Score, DetectionBox Box, RunLengthMask? Mask = null);

/// <summary>An object that is there.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Category">The category's number.</param>
/// <param name="Box">Where it is.</param>
/// <param name="Area">Its area in pixels, by which it counts as small, medium or large.</param>
/// <param name="Mask">Its pixels, or null where only boxes are annotated.</param>
/// <param name="IsCrowd">Whether it is a group: detections inside it count neither for nor against.</param>
public sealed record AnnotatedObject(long Image, long Category, DetectionBox Box, double Area, RunLengthMask? Mask = null, bool IsCrowd = false);
