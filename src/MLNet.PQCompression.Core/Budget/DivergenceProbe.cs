using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Budget;

/// <summary>Measures on a fixed set of images how far a changed network's answers are from the teacher's.</summary>
internal sealed class DivergenceProbe
{
    private readonly Activation[] _batches;
    private readonly IReadOnlyDictionary<string, ReadOnlyMemory<float>>[][] _expected;
    private readonly Func<ModelGraph, IScoringSession> _open;
    private readonly OutputKind _kind;
    private readonly bool _probabilities;

    /// <summary>Scores the teacher.</summary>
    /// <param name="teacher">The network.</param>
    /// <param name="batches">The images, N×C×H×W each.</param>
    /// <param name="kind">What the outputs are.</param>
    /// <param name="threads">Threads, or 0.</param>
    /// <param name="runtime">Runs networks with foreign nodes.</param>
    /// <exception cref="InvalidModelException">No output can be compared: the length of each differs between images.</exception>
    public DivergenceProbe(ModelGraph teacher, Activation[] batches, OutputKind kind, int threads, IForeignRuntime? runtime)
    {
        (_batches, _kind, _probabilities) = (batches, kind, kind == OutputKind.Classes && ClassProbability.AreOutputsOf(teacher));
        TensorShape shape = batches[0].Shape;
        _open = graph => ScoringSessions.Create(graph, new(shape[1], shape[2], shape[3]), threads, runtime);
        _expected = Score(teacher);
        if (!Compare(_expected, CancellationToken.None).HasComparable)
            throw new InvalidModelException($"The outputs of model '{teacher.Name}' differ in length from image to image, so what its answers lose cannot be measured without labels; compress it with --blocks instead of a budget.");
    }

    /// <summary>The images.</summary>
    public int Images => _batches.Sum(b => b.Shape[0]);

    /// <summary>The mean KL(teacher ‖ student) in nats, or 1 − the mean cosine, over all outputs alike.</summary>
    /// <exception cref="InvalidModelException">An output is not finite.</exception>
    public double Measure(ModelGraph student, CancellationToken cancellationToken) => Compare(Score(student, cancellationToken), cancellationToken).MeanDifference;

    private IReadOnlyDictionary<string, ReadOnlyMemory<float>>[][] Score(ModelGraph graph, CancellationToken cancellationToken = default)
    {
        using IScoringSession session = _open(graph);
        return [.. _batches.Select(batch =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return ImageAnswers.Of(session, batch);
        })];
    }

    private OutputComparison Compare(IReadOnlyDictionary<string, ReadOnlyMemory<float>>[][] answers, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var comparison = new OutputComparison(_kind, _probabilities, _probabilities);
        foreach ((var expected, var actual) in _expected.SelectMany(e => e).Zip(answers.SelectMany(a => a)))
            comparison.Add($"image {comparison.Images + 1}", expected, actual);
        return comparison;
    }
}
