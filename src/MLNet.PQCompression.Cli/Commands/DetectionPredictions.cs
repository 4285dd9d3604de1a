using System.Diagnostics;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Drawing;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>The objects that a detector finds in images, and pictures of them.</summary>
internal sealed class DetectionPredictions(Detector detector, ImagePreprocessing preprocessing, DetectionLabels labels, OnBadImage onBadImage, ToolConsole console)
{
    private bool _hasNoFont;

    /// <summary>Finds them.</summary>
    /// <param name="images">The images.</param>
    /// <param name="folder">Where drawn images go, or null.</param>
    /// <param name="start">When the command began.</param>
    /// <exception cref="InvalidDataException">No image can be used.</exception>
    public DetectionsResult Run(ImageSource images, DrawingFolder? folder, long start)
    {
        var skipped = new List<SkippedImage>(images.LeftOut);
        List<ImageDetections> found = console.Track("predict", progress =>
        {
            var all = new List<ImageDetections>();
            foreach (DecodedPicture picture in images.DecodeAll(console.CancellationToken))
            {
                string name = images.Images[picture.Index].Name;
                if (picture.Error is { } error)
                {
                    if (onBadImage == OnBadImage.Fail)
                        throw error;
                    console.Note($"left out: {error.Message}");
                    skipped.Add(new(name, error.Message));
                    continue;
                }
                all.Add(Look(name, picture, folder));
                progress.Report(new((picture.Index + 1.0) / images.Count, $"{picture.Index + 1} of {images.Count} images"));
            }
            return all;
        });
        if (found.Count == 0)
            throw new InvalidDataException($"None of the {images.Count} images of '{images.Path}' could be decoded.");
        if (_hasNoFont)
            console.Note("note: no font of this system is known here, so boxes have numbers; a .txt file beside each image tells what they are.");
        return new(detector.Profile.Name, detector.Engine, found, skipped, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private ImageDetections Look(string name, DecodedPicture decoded, DrawingFolder? folder)
    {
        RgbImage picture = decoded.Picture!;
        IReadOnlyList<Detection> detections = detector.Detect(picture, preprocessing);
        string? drawn = null;
        if (folder is not null)
        {
            DrawnPicture file = DetectionDrawing.Draw(picture, detections, labels, DrawingFolder.IsJpeg(name));
            _hasNoFont |= file.Legend.Count > 0;
            drawn = folder.Write(decoded.Index, file);
        }
        return new(name, picture.Width, picture.Height, [.. detections.Select(Describe)], drawn);
    }

    private PredictedObject Describe(Detection d) => new(
        d.Label, labels.Names.GetValueOrDefault(d.Label), d.Score, [.. new[] { d.Box.Left, d.Box.Top, d.Box.Right, d.Box.Bottom }.Select(v => Math.Round(v, 2))],
        d.Mask is { } mask ? new([mask.Height, mask.Width], mask.Counts) : null);
}
