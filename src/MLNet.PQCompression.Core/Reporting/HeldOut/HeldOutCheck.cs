using System.Diagnostics;
using System.Globalization;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Reporting;

/// <summary>Compares a compressed network with its teacher on images that were kept out of its making. No labels are needed.</summary>
public static class HeldOutCheck
{
    /// <summary>From so many images on some are held out by default.</summary>
    private const int FewestToSplit = 128;

    private const int FewestHeldOut = 32;

    /// <summary>More tell little more: the agreement of so many is known to about two points.</summary>
    private const int MostHeldOut = 1000;

    private const int BatchSize = 32;

    /// <summary>How many images to keep out of so many: a tenth, at least 32 and at most 1000; none where there are fewer than 128.</summary>
    public static int CountOf(int images) => images < FewestToSplit ? 0 : Math.Clamp(images / 10, FewestHeldOut, MostHeldOut);

    /// <summary>Whether a network's answers can be compared here: it has one output, and no node that only ONNX Runtime runs.</summary>
    public static bool CanCompare(ModelGraph model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Outputs.Length == 1 && !model.Nodes.Any(n => n.Operator is Foreign);
    }

    /// <summary>Compares the two on every image.</summary>
    /// <param name="teacher">The network that was compressed; it has one output.</param>
    /// <param name="student">What became of it.</param>
    /// <param name="images">Images that no statistic was taken from, preprocessed.</param>
    /// <param name="kind">What the output is, or null to tell from the network.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="worst">How many of the images that differ most are reported.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Ends the work between batches.</param>
    /// <exception cref="ArgumentException">There are no images.</exception>
    /// <exception cref="InvalidModelException">A model has several outputs, or one is not finite.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static HeldOutReport Run(
        ModelGraph teacher, ModelGraph student, ISampleSource images, OutputKind? kind = null, int threads = 0, int worst = 8,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(images);
        long start = Stopwatch.GetTimestamp();
        var options = new InferenceOptions { Threads = threads, InputShape = new(images.Channels, images.Height, images.Width), MaxBatch = BatchSize };
        using InferenceSession one = new(teacher, options), other = new(student, options);
        OutputKind what = kind ?? OutputKinds.Of(teacher);
        var comparison = new OutputComparison(what, ClassProbability.AreOutputsOf(teacher), ClassProbability.AreOutputsOf(student), worst);
        int length = one.OutputLength, image = (int)one.InputShape.Count;
        float[] expected = new float[BatchSize * length], actual = new float[BatchSize * length];
        foreach (SampleBatch batch in images.Read(BatchSize, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<float> data = batch.Data.Span[..(batch.Count * image)];
            one.Run(data, batch.Count, expected.AsSpan(0, batch.Count * length));
            other.Run(data, batch.Count, actual.AsSpan(0, batch.Count * length));
            for (int i = 0; i < batch.Count; i++)
                comparison.Add(batch.Names[i], expected.AsSpan(i * length, length), actual.AsSpan(i * length, length));
            progress?.Report(new(comparison.Images, images.Count));
        }
        if (comparison.Images == 0)
            throw new ArgumentException("There are no images to compare the networks on.", nameof(images));
        return Report(comparison, what) with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    private static HeldOutReport Report(OutputComparison comparison, OutputKind kind)
    {
        double mean = comparison.Difference / comparison.Images;
        var report = new HeldOutReport { Images = comparison.Images, Kind = kind, Meaning = "", Worst = comparison.Worst };
        return kind == OutputKind.Classes
            ? report with { Agreement = comparison.Agreement, Divergence = mean, Meaning = OfClasses(comparison.Agreement, comparison.Images) }
            : report with { Cosine = 1 - mean, Meaning = OfFeatures(1 - mean) };
    }

    private static string OfClasses(int same, int images)
    {
        (double low, double high) = WilsonInterval(same, images);
        return string.Create(CultureInfo.InvariantCulture,
            $"The two name the same class on {same} of {images} images, so on {low:0.0%} to {high:0.0%} of such images (95% interval). The accuracy can fall by no more than the share on which they differ; it usually falls by less than half of that.");
    }

    private static string OfFeatures(double cosine) => string.Create(CultureInfo.InvariantCulture,
        $"The two outputs point the same way up to an angle of {Math.Acos(Math.Clamp(cosine, -1, 1)) * 180 / Math.PI:0.0} degrees. What that costs depends on what reads them: measure that with your own labels.");

    /// <summary>Wilson's 95% interval of a share that was counted (Wilson 1927).</summary>
    internal static (double Low, double High) WilsonInterval(int count, int of)
    {
        const double z = 1.96;
        double p = (double)count / of, center = (p + z * z / (2 * of)) / (1 + z * z / of), half = z / (1 + z * z / of) * Math.Sqrt(p * (1 - p) / of + z * z / (4.0 * of * of));
        return (Math.Max(0, center - half), Math.Min(1, center + half));
    }
}
