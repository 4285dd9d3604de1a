using System.Diagnostics;
using System.Numerics.Tensors;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Reporting;

/// <summary>How near one output of a network is to its teacher's.</summary>
/// <param name="Name">The output.</param>
/// <param name="Images">The images on which both give as many values.</param>
/// <param name="Other">The images on which they do not, as detectors may, or on which the output is no tensor of real numbers.</param>
/// <param name="Cosine">The cosine of both as vectors, the mean over the images.</param>
/// <param name="FifthPercentile">The cosine that 5% of the images are below.</param>
/// <param name="LeastCosine">The least cosine.</param>
/// <param name="RelativeError">Σ‖student − teacher‖² / Σ‖teacher‖² over all images.</param>
public sealed record OutputFigures(string Name, int Images, int Other, double? Cosine, double? FifthPercentile, double? LeastCosine, double? RelativeError);

/// <summary>Compares all outputs of two networks, whatever they are. No labels are needed.</summary>
public static class OutputAgreement
{
    private const int BatchSize = 8;

    /// <summary>Compares two networks on images.</summary>
    /// <param name="teacher">The one.</param>
    /// <param name="student">The other, with outputs of the same names.</param>
    /// <param name="images">The images, preprocessed.</param>
    /// <param name="limit">How many images are compared at most, or null for all.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="runtime">Runs networks with foreign nodes; null refuses them.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Ends the work between batches.</param>
    /// <exception cref="InvalidModelException">A network cannot be run, or they have no output in common.</exception>
    public static IReadOnlyList<OutputFigures> Compare(
        ModelGraph teacher, ModelGraph student, ISampleSource images, int? limit = null, int threads = 0, IForeignRuntime? runtime = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(images);
        var size = new TensorShape(images.Channels, images.Height, images.Width);
        using IScoringSession one = ScoringSessions.Create(teacher, size, threads, runtime), other = ScoringSessions.Create(student, size, threads, runtime);
        var sums = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        int done = 0, most = limit ?? int.MaxValue;
        foreach (SampleBatch batch in images.Read(teacher.Origin?.FixedBatch ?? student.Origin?.FixedBatch ?? BatchSize, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var input = new Activation(new([batch.Count, .. size.Dimensions]), batch.Data[..(int)(batch.Count * size.Count)].ToArray());
            IReadOnlyDictionary<string, Activation> expected = one.Run(input), actual = other.Run(input);
            foreach ((string name, Activation value) in expected)
                if (actual.TryGetValue(name, out Activation? mine))
                    (sums.TryGetValue(name, out Tally? tally) ? tally : sums[name] = new()).Add(value, mine, batch.Count);
            done += batch.Count;
            progress?.Report(new(Math.Min(done, most), images.Count is { } count ? Math.Min(count, most) : limit));
            if (done >= most)
                break;
        }
        return sums.Count > 0 || done == 0 ? [.. sums.Select(s => s.Value.Figures(s.Key))]
            : throw new InvalidModelException($"The networks '{teacher.Name}' and '{student.Name}' have no output in common.");
    }

    /// <summary>The same as a report.</summary>
    /// <param name="teacher">The one.</param>
    /// <param name="student">The other, with outputs of the same names.</param>
    /// <param name="images">The images, preprocessed.</param>
    /// <param name="inference">Threads, and what runs networks with foreign nodes.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Ends the work between batches.</param>
    /// <exception cref="InvalidModelException">A network cannot be run, or they have no output in common.</exception>
    public static EvaluationReport Evaluate(
        ModelGraph teacher, ModelGraph student, ISampleSource images, InferenceOptions inference, IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inference);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<OutputFigures> outputs = Compare(teacher, student, images, null, inference.Threads, inference.ForeignRuntime ?? ForeignRuntimes.Default, progress, cancellationToken);
        return new()
        {
            Images = outputs.Count == 0 ? 0 : outputs.Max(o => o.Images + o.Other),
            Labelled = 0,
            Outputs = outputs,
            Skipped = images.Skipped,
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
    }

    private sealed class Tally
    {
        private readonly List<double> _cosines = [];
        private double _error, _energy;
        private int _other;

        public void Add(Activation expected, Activation actual, int images)
        {
            if (expected is ForeignValue || actual is ForeignValue || expected.Shape != actual.Shape || expected.Span.IsEmpty)
            {
                _other += images;
                return;
            }
            int parts = expected.Shape.Rank > 0 && expected.Shape[0] % images == 0 ? images : 1, length = expected.Span.Length / parts;
            for (int i = 0; i < parts; i++)
            {
                ReadOnlySpan<float> x = expected.Span.Slice(i * length, length), y = actual.Span.Slice(i * length, length);
                double distance = TensorPrimitives.Distance(x, y);
                _energy += TensorPrimitives.SumOfSquares(x);
                _error += distance * distance;
                _cosines.Add(OutputComparison.Cosine(x, y));
            }
        }

        public OutputFigures Figures(string name)
        {
            if (_cosines.Count == 0)
                return new(name, 0, _other, null, null, null, null);
            _cosines.Sort();
            return new(name, _cosines.Count, _other, _cosines.Average(), _cosines[_cosines.Count / 20], _cosines[0], _energy > 0 ? _error / _energy : _error);
        }
    }
}
