using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Drawing;

namespace DetectionSample;

/// <summary>A picture that was written.</summary>
/// <param name="Path">Where.</param>
/// <param name="Objects">What was found in it, a line each.</param>
public sealed record DrawnFile(string Path, IReadOnlyList<string> Objects);

/// <summary>Finds the objects in the pictures of a folder.</summary>
public static class PictureFolder
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];

    /// <summary>Writes each picture with its objects drawn on it.</summary>
    /// <param name="modelFile">The detector, dense or compressed. Where it is dense, <c>Compression = new()</c> in the options would compress it from these very pictures.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="classNames">The detector's classes, in its order.</param>
    /// <param name="output">Where the drawn pictures go.</param>
    public static IEnumerable<DrawnFile> Draw(string modelFile, string folder, IReadOnlyList<string> classNames, string output)
    {
        var context = new MLContext();
        IDataView pictures = context.Data.LoadFromEnumerable(
            Directory.GetFiles(folder).Where(f => Extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).Select(f => new Picture { Image = f }));
        using var detector = context.Transforms.DetectObjects("Image", modelFile, classNames).Fit(pictures);
        DetectionLabels labels = DetectionLabels.FromZero(detector.ClassNames);
        foreach (FoundObjects row in context.Data.CreateEnumerable<FoundObjects>(detector.Transform(pictures), reuseRowObject: false))
        {
            Detection[] found = [.. row.Labels.Select((key, i) => new Detection((int)key - 1, row.Scores[i], new(row.Boxes[4 * i], row.Boxes[(4 * i) + 1], row.Boxes[(4 * i) + 2], row.Boxes[(4 * i) + 3])))];
            string path = Path.Combine(output, Path.GetFileNameWithoutExtension(row.Image) + ".png");
            File.WriteAllBytes(path, DetectionDrawing.Draw(ImageDecoder.Decode(File.ReadAllBytes(row.Image)), found, labels).File);
            yield return new(path, [.. found.Select(d => $"{labels[d.Label],-16} {d.Score:P0}  {d.Box.Left:0}, {d.Box.Top:0} to {d.Box.Right:0}, {d.Box.Bottom:0}")]);
        }
    }

    private sealed class Picture
    {
        public string Image { get; set; } = "";
    }

    private sealed class FoundObjects
    {
        public string Image { get; set; } = "";

        public float[] Boxes { get; set; } = [];

        public uint[] Labels { get; set; } = [];

        public float[] Scores { get; set; } = [];
    }
}
