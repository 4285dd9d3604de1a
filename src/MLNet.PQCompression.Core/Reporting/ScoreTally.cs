using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>Counts, image by image, how often a classifier is right and how far it is from its teacher.</summary>
/// <remarks>
/// Classes with equal scores rank by index. KL(teacher ‖ student) = Σ_c p_t(c)·(log p_t(c) − log p_s(c)) in nats, where p is the softmax of
/// the scores or, for a model that ends in one, the scores themselves.
/// </remarks>
internal sealed class ScoreTally(bool studentGivesProbabilities = false, bool teacherGivesProbabilities = false)
{
    private double[] _student = [];
    private double[] _teacher = [];
    private double _divergence;
    private int _compared;

    public int Images { get; private set; }

    public int Labelled { get; private set; }

    public int Top1 { get; private set; }

    public int Top5 { get; private set; }

    public int TeacherTop1 { get; private set; }

    public int TeacherTop5 { get; private set; }

    public int Agreement { get; private set; }

    /// <summary>The mean divergence over the images that were compared with a teacher.</summary>
    public double Divergence => _compared == 0 ? 0 : _divergence / _compared;

    /// <summary>Scores an image and counts it.</summary>
    /// <param name="name">The image, for messages.</param>
    /// <param name="scores">A score for each class.</param>
    /// <param name="label">The right class, or -1 where it is not known.</param>
    /// <param name="teacher">The teacher's scores, or none.</param>
    public ImageScore Add(string name, ReadOnlySpan<float> scores, int label, ReadOnlySpan<float> teacher)
    {
        if (!TensorPrimitives.IsFiniteAll(scores) || (!teacher.IsEmpty && !TensorPrimitives.IsFiniteAll(teacher)))
            throw new InvalidModelException($"The scores of image '{name}' are not all finite numbers.");
        if (label >= scores.Length)
            throw new InvalidDataException($"Image '{name}' has label {label}, but the model has {scores.Length} classes (0 to {scores.Length - 1}).");
        int? rank = label < 0 ? null : Rank(scores, label);
        ImageScore score = teacher.IsEmpty
            ? new(name, label, TensorPrimitives.IndexOfMax(scores), rank, null, null, null)
            : new(name, label, TensorPrimitives.IndexOfMax(scores), rank, TensorPrimitives.IndexOfMax(teacher), label < 0 ? null : Rank(teacher, label), Diverge(scores, teacher));
        Add(score);
        return score;
    }

    /// <summary>Counts an image that was scored before.</summary>
    public void Add(ImageScore score)
    {
        Images++;
        Labelled += score.Rank is null ? 0 : 1;
        Top1 += score.Rank < 1 ? 1 : 0;
        Top5 += score.Rank < 5 ? 1 : 0;
        TeacherTop1 += score.TeacherRank < 1 ? 1 : 0;
        TeacherTop5 += score.TeacherRank < 5 ? 1 : 0;
        Agreement += score.TeacherClass == score.Class ? 1 : 0;
        if (score.Divergence is { } divergence)
        {
            _compared++;
            _divergence += divergence;
        }
    }

    private double Diverge(ReadOnlySpan<float> scores, ReadOnlySpan<float> teacher)
    {
        if (_student.Length != scores.Length)
            (_student, _teacher) = (new double[scores.Length], new double[scores.Length]);
        ClassProbability.Logarithms(scores, studentGivesProbabilities, _student);
        ClassProbability.Logarithms(teacher, teacherGivesProbabilities, _teacher);
        double divergence = 0;
        for (int c = 0; c < _teacher.Length; c++)
            divergence += Math.Exp(_teacher[c]) * (_teacher[c] - _student[c]);
        return divergence;
    }

    /// <summary>How many classes come before <paramref name="label"/>.</summary>
    private static int Rank(ReadOnlySpan<float> scores, int label)
    {
        int rank = 0;
        for (int c = 0; c < scores.Length; c++)
            if (scores[c] > scores[label] || (scores[c] == scores[label] && c < label))
                rank++;
        return rank;
    }
}
