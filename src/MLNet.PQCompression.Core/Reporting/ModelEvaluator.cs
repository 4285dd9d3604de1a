using System.Diagnostics;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Reporting;

/// <summary>How to evaluate a model.</summary>
public sealed record EvaluationOptions
{
    /// <summary>How many images are scored at most, or null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Images scored at a time.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Threads, or 0 for one for each processor.</summary>
    public int Threads { get; init; }
}

/// <summary>Scores a classifier on images: top-1 and top-5 against labels, agreement and KL divergence against a teacher.</summary>
public static class ModelEvaluator
{
    /// <summary>Scores every image of <paramref name="images"/>, batch by batch.</summary>
    /// <param name="model">The classifier; its output is N×classes, logits or probabilities.</param>
    /// <param name="images">The images, preprocessed as the model needs; labels of -1 are not counted.</param>
    /// <param name="teacher">The model to compare with, scored on the same images, or null.</param>
    /// <param name="options">How to evaluate.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Ends the evaluation between batches.</param>
    /// <exception cref="InvalidModelException">The two models have different classes, or a score is not finite.</exception>
    /// <exception cref="InvalidDataException">A label lies outside the model's classes.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public static EvaluationReport Evaluate(
        ModelGraph model, ISampleSource images, ModelGraph? teacher = null, EvaluationOptions? options = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        long start = Stopwatch.GetTimestamp();
        EvaluationReport report = EvaluationReport.Of(Score(model, images, teacher, options, progress, cancellationToken), teacher is not null);
        return report with { Skipped = images.Skipped, Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Scores images one by one, in their order, as the caller asks for them; <see cref="EvaluationReport.Of"/> sums them up.</summary>
    /// <inheritdoc cref="Evaluate"/>
    public static IEnumerable<ImageScore> Score(
        ModelGraph model, ISampleSource images, ModelGraph? teacher = null, EvaluationOptions? options = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        return Score(model, teacher, images, options ?? new(), progress, cancellationToken);
    }

    private static IEnumerable<ImageScore> Score(
        ModelGraph model, ModelGraph? teacher, ISampleSource images, EvaluationOptions options, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        using var student = new Scorer(model, images, options);
        using Scorer? reference = teacher is null ? null : new Scorer(teacher, images, options);
        if (reference is not null && reference.Classes != student.Classes)
            throw new InvalidModelException($"The model has {student.Classes} classes and the teacher {reference.Classes}; they cannot be compared.");
        var tally = new ScoreTally(student.GivesProbabilities, reference?.GivesProbabilities ?? false);
        int limit = options.Limit ?? int.MaxValue;
        int? total = images.Count is { } known ? Math.Min(known, limit) : options.Limit;
        foreach (SampleBatch batch in images.Read(Math.Min(options.BatchSize, limit), cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (ImageScore score in Score(batch, Math.Min(batch.Count, limit - tally.Images), student, reference, tally))
                yield return score;
            progress?.Report(new(tally.Images, total));
            if (tally.Images >= limit)
                break;
        }
    }

    private static ImageScore[] Score(SampleBatch batch, int count, Scorer student, Scorer? reference, ScoreTally tally)
    {
        ReadOnlySpan<float> scores = student.Score(batch, count), teacherScores = reference is null ? [] : reference.Score(batch, count);
        var result = new ImageScore[count];
        for (int i = 0; i < count; i++)
            result[i] = tally.Add(batch.Names[i], Row(scores, i, student.Classes), batch.Labels[i], Row(teacherScores, i, reference?.Classes ?? 0));
        return result;
    }

    private static ReadOnlySpan<float> Row(ReadOnlySpan<float> scores, int image, int classes) => scores.Slice(image * classes, classes);

    /// <summary>A session with room for the scores of a batch.</summary>
    private sealed class Scorer : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly float[] _scores;

        public Scorer(ModelGraph model, ISampleSource images, EvaluationOptions options)
        {
            int[] size = [images.Channels, images.Height, images.Width];
            if (model.Input.Shape.Rank != 4 || size.Where((d, i) => model.Input.Shape[i + 1] >= 0 && model.Input.Shape[i + 1] != d).Any())
                throw new InvalidModelException($"Model '{model.Name}' takes images of {model.Input.Shape}; these are {new TensorShape(size)}.");
            GivesProbabilities = ClassProbability.AreOutputsOf(model);
            _session = new InferenceSession(model, new() { Threads = options.Threads, InputShape = new(size) });
            _scores = new float[options.BatchSize * _session.OutputLength];
        }

        public bool GivesProbabilities { get; }

        public int Classes => _session.OutputLength;

        public ReadOnlySpan<float> Score(SampleBatch batch, int count)
        {
            Span<float> scores = _scores.AsSpan(0, count * Classes);
            _session.Run(batch.Data.Span[..(int)(count * _session.InputShape.Count)], count, scores);
            return scores;
        }

        public void Dispose() => _session.Dispose();
    }
}
