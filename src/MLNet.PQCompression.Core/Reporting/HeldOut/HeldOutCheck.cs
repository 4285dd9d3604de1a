using System.Diagnostics;
using System.Globalization;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;
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

    /// <summary>Compares the two on every image.</summary>
    /// <param name="teacher">The network that was compressed.</param>
    /// <param name="student">What became of it.</param>
    /// <param name="images">Images that no statistic was taken from, preprocessed.</param>
    /// <param name="kind">What the output is, or null to tell from the network.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <param name="worst">How many of the images that differ most are reported.</param>
    /// <param name="runtime">Runs networks with foreign nodes; null refuses them.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Ends the work between batches.</param>
    /// <exception cref="ArgumentException">There are no images.</exception>
    /// <exception cref="InvalidModelException">A model cannot be run, an output is not finite, or none has the same length on every image.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static HeldOutReport Run(
        ModelGraph teacher, ModelGraph student, ISampleSource images, OutputKind? kind = null, int threads = 0, int worst = 8, IForeignRuntime? runtime = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(images);
        long start = Stopwatch.GetTimestamp();
        var size = new TensorShape(images.Channels, images.Height, images.Width);
        using IScoringSession one = ScoringSessions.Create(teacher, size, threads, runtime), other = ScoringSessions.Create(student, size, threads, runtime);
        OutputKind what = kind ?? OutputKinds.Of(teacher, images.Height, images.Width);
        bool areClasses = what == OutputKind.Classes;
        DetectionAgreement? detections = what != OutputKind.Detections ? null : new(DetectionProfile.Find(teacher, images.Height, images.Width) ?? throw new InvalidModelException(
            $"The outputs of model '{teacher.Name}' are not those of a known family of detectors, so they cannot be compared as detections."), images.Height, images.Width);
        var comparison = new OutputComparison(what, areClasses && ClassProbability.AreOutputsOf(teacher), areClasses && ClassProbability.AreOutputsOf(student), worst);
        foreach (SampleBatch batch in images.Read(detections is not null ? 1 : teacher.Origin?.FixedBatch ?? BatchSize, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var input = new Activation(new([batch.Count, .. size.Dimensions]), batch.Data[..(int)(batch.Count * size.Count)].ToArray());
            (IReadOnlyDictionary<string, Activation> teachers, IReadOnlyDictionary<string, Activation> students) = (one.Run(input), other.Run(input));
            foreach ((int i, (var expected, var actual)) in ImageAnswers.Of(teachers, batch.Count).Zip(ImageAnswers.Of(students, batch.Count)).Index())
                comparison.Add(batch.Names[i], expected, actual);
            detections?.Add(teachers, students);
            progress?.Report(new(comparison.Images, images.Count));
        }
        if (comparison.Images == 0)
            throw new ArgumentException("There are no images to compare the networks on.", nameof(images));
        if (!comparison.HasComparable && detections is not { Objects: > 0 })
            throw new InvalidModelException($"The outputs of model '{teacher.Name}' differ in length from image to image, so they cannot be compared as vectors; measure them with labels.");
        return Report(comparison, what, detections) with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    private static HeldOutReport Report(OutputComparison comparison, OutputKind kind, DetectionAgreement? detections)
    {
        double? mean = comparison.HasComparable ? comparison.MeanDifference : null;
        var report = new HeldOutReport { Images = comparison.Images, Kind = kind, Meaning = "", Worst = comparison.Worst, AveragePrecision = detections?.Precision, Objects = detections?.Objects };
        return kind == OutputKind.Classes
            ? report with { Agreement = comparison.Agreement, Divergence = mean, Meaning = OfClasses(comparison.Agreement, comparison.Images) }
            : report with { Cosine = 1 - mean, Meaning = detections is null ? OfFeatures(1 - mean!.Value) : OfDetections(detections) };
    }

    private static string OfClasses(int same, int images)
    {
        (double low, double high) = WilsonInterval(same, images);
        return string.Create(CultureInfo.InvariantCulture,
            $"The two name the same class on {same} of {images} images, so on {low:0.0%} to {high:0.0%} of such images (95% interval). The accuracy can fall by no more than the share on which they differ; it usually falls by less than half of that.");
    }

    private static string OfDetections(DetectionAgreement detections) => detections.Precision is { } precision
        ? string.Create(CultureInfo.InvariantCulture, $"The teacher's {detections.Objects} detections of score {DetectionAgreement.LeastScore} or more taken for the objects that are there, the compressed network has an average precision of {precision:0.000}; 1 would be the same detections. What that costs against true objects, labels tell.")
        : string.Create(CultureInfo.InvariantCulture, $"The teacher has no detection of score {DetectionAgreement.LeastScore} or more on these images, so what the two find was not compared: give images that show what it was made to find.");

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
