using System.Diagnostics;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Images.Coco;

/// <summary>How to evaluate a detector.</summary>
public sealed record CocoEvaluationOptions
{
    /// <summary>The names of the detector's classes; unknown ones are counted as its profile says.</summary>
    public DetectionLabels Labels { get; init; } = DetectionLabels.Unknown;

    /// <summary>How many pictures are looked at, drawn at random; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>The seed of the draw.</summary>
    public int Seed { get; init; }

    /// <summary>What happens when a picture cannot be decoded, or has another size than the annotations say.</summary>
    public OnBadImage OnBadImage { get; init; } = OnBadImage.Fail;
}

/// <summary>Judges detectors by annotated pictures: average precision as COCO defines it, of boxes, and of masks where there are some.</summary>
public static class CocoEvaluation
{
    /// <summary>Runs a detector, and its teacher beside it, on the annotated ones of some images.</summary>
    /// <param name="model">The detector.</param>
    /// <param name="teacher">The one to compare with, or null.</param>
    /// <param name="images">The images.</param>
    /// <param name="annotations">The objects in them.</param>
    /// <param name="preprocessing">How pictures become the input of both.</param>
    /// <param name="options">What is looked at; null for all.</param>
    /// <param name="progress">Told after each picture.</param>
    /// <param name="cancellationToken">Ends the work between pictures.</param>
    /// <exception cref="InvalidDataException">No image is annotated, or none can be used.</exception>
    /// <exception cref="InvalidImageException">A picture cannot be used, and <see cref="OnBadImage.Fail"/> is chosen.</exception>
    /// <exception cref="InvalidModelException">The detector's classes and the categories do not belong together, or its outputs are not those of its profile.</exception>
    public static DetectionReport Run(
        Detector model, Detector? teacher, ImageSource images, CocoAnnotations annotations, ImagePreprocessing preprocessing, CocoEvaluationOptions? options = null,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(annotations);
        options ??= new();
        long start = Stopwatch.GetTimestamp();
        CocoJoin join = CocoJoin.Of(images, annotations).Sample(options.Limit ?? int.MaxValue, options.Seed);
        JudgedDetector[] judged = [.. new[] { model, teacher }.OfType<Detector>().Select(d => new JudgedDetector(d, options.Labels, annotations))];
        var skipped = new List<SkippedImage>(images.LeftOut);
        var seen = new HashSet<long>();
        foreach (DecodedPicture decoded in join.Images.DecodeAll(cancellationToken))
        {
            CocoPicture expected = join.Pictures[decoded.Index];
            if ((decoded.Error ?? OtherSize(join.Images, decoded, expected)) is { } error)
            {
                if (options.OnBadImage == OnBadImage.Fail)
                    throw error;
                skipped.Add(new(join.Images.Images[decoded.Index].Name, error.Message));
                continue;
            }
            seen.Add(expected.Id);
            foreach (JudgedDetector detector in judged)
                detector.Look(decoded.Picture!, expected, preprocessing);
            progress?.Report(new(decoded.Index + 1, join.Images.Count));
        }
        if (seen.Count == 0)
            throw new InvalidDataException($"None of the {join.Images.Count} annotated images of '{images.Path}' can be used: {skipped[^1].Reason}");
        AnnotatedObject[] objects = [.. annotations.Objects.Where(o => seen.Contains(o.Image))];
        DetectionFigures[] figures = [.. judged.SelectMany((d, i) => d.Judge(i == 0 ? DetectionFigures.OfModel : DetectionFigures.OfTeacher, objects))];
        return new()
        {
            Images = seen.Count,
            Objects = objects.Count(o => !o.IsCrowd),
            Profile = model.Profile.Name,
            Engine = model.Engine,
            Figures = figures,
            Notes = [.. join.Notes, .. judged[0].Notes],
            Skipped = skipped,
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
    }

    private static InvalidImageException? OtherSize(ImageSource images, DecodedPicture decoded, CocoPicture expected) =>
        decoded.Picture is { } picture && (picture.Width, picture.Height) != (expected.Width, expected.Height)
            ? images.Named(decoded.Index, new(ImageFault.OtherSize, $"it is {picture.Width}×{picture.Height}, but the annotations are of a picture of {expected.Width}×{expected.Height}."))
            : null;
}
