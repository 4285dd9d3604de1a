using System.Globalization;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>What detectors found and how well, for a terminal.</summary>
internal static class DetectionText
{
    /// <summary>The objects of each image.</summary>
    public static string Of(DetectionsResult result)
    {
        var table = new TextTable("image", ">score", ">left", ">top", ">right", ">bottom", "name");
        foreach (ImageDetections image in result.Images)
        {
            if (image.Objects.Count == 0)
                table.Add(image.Image, "", "", "", "", "", "nothing");
            foreach ((int i, PredictedObject found) in image.Objects.Index())
                table.Add(
                    [i == 0 ? image.Image : "", Text(found.Score, "0.000"), .. found.Box.Select(v => Text(v, "0")), found.Name ?? found.Label.ToString(CultureInfo.InvariantCulture)]);
        }
        string drawn = result.Images.FirstOrDefault(i => i.Drawn is not null) is { } first ? $"drawn: {first.Drawn}{(result.Images.Count > 1 ? ", …" : "")}\n" : "";
        return $"{table}{result.Images.Sum(i => i.Objects.Count)} objects in {result.Images.Count} images, outputs read as {result.Profile}; scored by {Brief(result.Engine)}\n{drawn}";
    }

    /// <summary>Average precision, the model's and its teacher's.</summary>
    public static string Of(DetectionReport report)
    {
        var table = new TextTable("average precision", ">AP", ">AP50", ">AP75", ">small", ">medium", ">large", ">recall");
        foreach (DetectionFigures f in report.Figures)
            table.Add([$"{f.Of.ToString().ToLowerInvariant()}{(f.Model == DetectionFigures.OfTeacher ? ", teacher" : "")}", .. new[] { f.Ap, f.Ap50, f.Ap75, f.Small, f.Medium, f.Large, f.Recall }.Select(v => v is { } known ? Text(known, "0.000") : "")]);
        string skipped = report.Skipped.Count > 0 ? $", {report.Skipped.Count} left out" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{table}{report.Images} images with {report.Objects} objects in {report.Seconds:0.0} s{skipped}; outputs read as {report.Profile}, scored by {Brief(report.Engine)}\n");
    }

    /// <summary>What ran a model, without why; --json has both.</summary>
    private static string Brief(string engine) => engine.Split(" (")[0];

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
