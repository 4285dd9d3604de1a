using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Budget;

/// <summary>Measures on a fixed set of images how far a changed network's answers are from the teacher's.</summary>
internal sealed class DivergenceProbe
{
    private const int BatchSize = 32;

    private readonly Activation[] _batches;
    private readonly float[][] _expected;
    private readonly InferenceOptions _options;
    private readonly OutputKind _kind;
    private readonly bool _probabilities;

    /// <summary>Scores the teacher.</summary>
    /// <param name="teacher">The network; it has one output.</param>
    /// <param name="batches">The images, N×C×H×W each.</param>
    /// <param name="kind">What the output is.</param>
    /// <param name="threads">Threads, or 0.</param>
    public DivergenceProbe(ModelGraph teacher, Activation[] batches, OutputKind kind, int threads)
    {
        (_batches, _kind, _probabilities) = (batches, kind, ClassProbability.AreOutputsOf(teacher));
        TensorShape shape = batches[0].Shape;
        _options = new() { Threads = threads, InputShape = new(shape[1], shape[2], shape[3]), MaxBatch = BatchSize };
        using var session = new InferenceSession(teacher, _options);
        _expected = [.. batches.Select(b => Score(session, b))];
    }

    /// <summary>The images.</summary>
    public int Images => _batches.Sum(b => b.Shape[0]);

    /// <summary>The mean KL(teacher ‖ student) in nats, or 1 − the mean cosine.</summary>
    /// <exception cref="InvalidModelException">An output is not finite.</exception>
    public double Measure(ModelGraph student, CancellationToken cancellationToken)
    {
        using var session = new InferenceSession(student, _options);
        var comparison = new OutputComparison(_kind, _probabilities, _probabilities);
        for (int b = 0; b < _batches.Length; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[] actual = Score(session, _batches[b]);
            int length = session.OutputLength;
            for (int i = 0; i < _batches[b].Shape[0]; i++)
                comparison.Add($"image {comparison.Images}", _expected[b].AsSpan(i * length, length), actual.AsSpan(i * length, length));
        }
        return comparison.Difference / comparison.Images;
    }

    private static float[] Score(InferenceSession session, Activation batch)
    {
        var scores = new float[batch.Shape[0] * session.OutputLength];
        session.Run(batch.Span, batch.Shape[0], scores);
        return scores;
    }
}
