using System.Text.Json.Serialization;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Reporting;

/// <summary>How a classifier did on a set of images. Accuracies are counts of images, not shares.</summary>
public sealed record EvaluationReport
{
    /// <summary>The images that were scored.</summary>
    public required int Images { get; init; }

    /// <summary>The images of these whose class is known.</summary>
    public required int Labelled { get; init; }

    /// <summary>Labelled images whose class got the highest score; null without labels.</summary>
    public int? Top1 { get; init; }

    /// <summary>Labelled images whose class got one of the five highest scores; null without labels.</summary>
    public int? Top5 { get; init; }

    /// <summary>Images on which model and teacher name the same class; null without a teacher.</summary>
    public int? Agreement { get; init; }

    /// <summary>KL(teacher ‖ model) in nats, the mean over the images; null without a teacher.</summary>
    [JsonPropertyName("kl")]
    public double? Divergence { get; init; }

    /// <summary>The teacher's <see cref="Top1"/>; null without a teacher or labels.</summary>
    public int? TeacherTop1 { get; init; }

    /// <summary>The teacher's <see cref="Top5"/>; null without a teacher or labels.</summary>
    public int? TeacherTop5 { get; init; }

    /// <summary>How near each output is to the teacher's, where the model is no classifier; else empty.</summary>
    public IReadOnlyList<OutputFigures> Outputs { get; init; } = [];

    /// <summary>The images that could not be read, which no other figure counts.</summary>
    public IReadOnlyList<SkippedImage> Skipped { get; init; } = [];

    /// <summary>The time it took, reading and decoding included.</summary>
    public double Seconds { get; init; }

    /// <summary>The figures of images that were scored one by one. Where they come from several machines, the figures are those of one that scored all, if the order is.</summary>
    /// <param name="scores">The images, in their order.</param>
    /// <param name="hasTeacher">Whether they were compared with a teacher.</param>
    public static EvaluationReport Of(IEnumerable<ImageScore> scores, bool hasTeacher)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var tally = new ScoreTally();
        foreach (ImageScore score in scores)
            tally.Add(score);
        bool isLabelled = tally.Labelled > 0;
        return new()
        {
            Images = tally.Images,
            Labelled = tally.Labelled,
            Top1 = isLabelled ? tally.Top1 : null,
            Top5 = isLabelled ? tally.Top5 : null,
            TeacherTop1 = isLabelled && hasTeacher ? tally.TeacherTop1 : null,
            TeacherTop5 = isLabelled && hasTeacher ? tally.TeacherTop5 : null,
            Agreement = hasTeacher ? tally.Agreement : null,
            Divergence = hasTeacher ? tally.Divergence : null,
        };
    }
}

/// <summary>Where an evaluation stands.</summary>
/// <param name="Images">Images scored so far.</param>
/// <param name="Total">How many there are, where that is known.</param>
public readonly record struct EvaluationProgress(int Images, int? Total);
