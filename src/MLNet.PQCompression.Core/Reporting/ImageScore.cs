using System.Text.Json.Serialization;

namespace MLNet.PQCompression.Reporting;

/// <summary>How a classifier did on one image.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="Label">Its class, or -1 where that is not known.</param>
/// <param name="Class">The class with the highest score; the first of several.</param>
/// <param name="Rank">How many classes come before the label's; null without a label.</param>
/// <param name="TeacherClass">The class with the teacher's highest score; null without a teacher.</param>
/// <param name="TeacherRank">How many classes come before the label's by the teacher's scores; null without a teacher or a label.</param>
/// <param name="Divergence">KL(teacher ‖ model) in nats; null without a teacher.</param>
public sealed record ImageScore(
    string Image, int Label, int Class, int? Rank, int? TeacherClass, int? TeacherRank, [property: JsonPropertyName("kl")] double? Divergence);
