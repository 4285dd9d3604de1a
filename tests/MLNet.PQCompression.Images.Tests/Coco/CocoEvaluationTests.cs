using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Coco;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Images.Coco;

/// <summary>A detector that is made by hand, judged by annotations whose figures follow from the definition.</summary>
public sealed class CocoEvaluationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatTheDetectorFindsIsJudged()
    {
        // Of two red squares and a green one the annotations of the second picture miss none and have one too many.
        Picture("a.ppm", (0, 0, 'r'), (16, 16, 'g'));
        Picture("b.ppm", (32, 0, 'r'));
        CocoAnnotations annotations = Annotations("""
            {"image_id": 1, "category_id": 4, "bbox": [0, 0, 16, 16]}, {"image_id": 1, "category_id": 9, "bbox": [16, 16, 16, 16]},
            {"image_id": 2, "category_id": 4, "bbox": [32, 0, 16, 16]}, {"image_id": 2, "category_id": 9, "bbox": [0, 32, 16, 16]}
            """);
        DetectionReport report = Run(annotations);
        Assert.Equal((2, 4, "yolox"), (report.Images, report.Objects, report.Profile));
        // Red: all found. Green: one of two, precision 1 at 51 of 101 points of recall.
        Assert.Equal((1 + (51 / 101.0)) / 2, report.BoxAP!.Value, 9);
        Assert.Equal(report.BoxAP, report.TeacherBoxAP);
        Assert.Null(report.MaskAP);
        Assert.Empty(report.Notes);
    }

    [Fact]
    public void PicturesOfAnotherSizeAndOnesThatAreMissingAreTold()
    {
        Picture("a.ppm", (0, 0, 'r'));
        _folder.Write("pictures/b.ppm", [.. "P6 2 2 255\n"u8, .. new byte[12]]);
        _folder.Write("pictures/c.ppm", [.. "P6 2 2 255\n"u8, .. new byte[12]]);
        CocoAnnotations annotations = Annotations("""{"image_id": 1, "category_id": 4, "bbox": [0, 0, 16, 16]}""");
        DetectionReport report = Run(annotations, OnBadImage.Skip);
        Assert.Equal((1, 1), (report.Images, report.BoxAP));
        Assert.Contains("64×64", Assert.Single(report.Skipped).Reason);
        Assert.Contains("1 of 3 images", Assert.Single(report.Notes));
        Assert.Contains("b.ppm", Assert.Throws<InvalidImageException>(() => Run(annotations)).Message);
    }

    [Fact]
    public void ImagesThatAreNotAnnotatedAreRefused()
    {
        _folder.Write("pictures/x.ppm", [.. "P6 2 2 255\n"u8, .. new byte[12]]);
        string message = Assert.Throws<InvalidDataException>(() => Run(Annotations(""))).Message;
        Assert.All(["x.ppm", "a.ppm"], part => Assert.Contains(part, message));
    }

    [Fact]
    public void CategoriesThatDoNotFitTheClassesAreRefused()
    {
        Picture("a.ppm");
        string file = _folder.Write("three.json", """
            {"images": [{"id": 1, "file_name": "a.ppm", "width": 64, "height": 64}], "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}, {"id": 3, "name": "z"}], "annotations": []}
            """);
        Assert.Contains("2 classes", Assert.Throws<InvalidModelException>(() => Run(CocoAnnotations.Read(file))).Message);
    }

    private DetectionReport Run(CocoAnnotations annotations, OnBadImage onBadImage = OnBadImage.Fail)
    {
        using ImageSource images = ImageSource.Open(Path.Combine(_folder.Path, "pictures"));
        var preprocessing = StatedPreprocessing.For(SquareDetector.Create()).Preprocessing;
        using Detector one = Detector.Open(SquareDetector.Create(), preprocessing), other = Detector.Open(SquareDetector.Create(), preprocessing);
        return CocoEvaluation.Run(one, other, images, annotations, preprocessing, new() { OnBadImage = onBadImage });
    }

    private CocoAnnotations Annotations(string objects) => CocoAnnotations.Read(_folder.Write("objects.json", $$"""
        {"images": [{"id": 1, "file_name": "a.ppm", "width": 64, "height": 64}, {"id": 2, "file_name": "b.ppm", "width": 64, "height": 64}],
         "categories": [{"id": 4, "name": "red"}, {"id": 9, "name": "green"}], "annotations": [{{objects}}]}
        """));

    private void Picture(string name, params ReadOnlySpan<(int X, int Y, char Colour)> squares) => _folder.Write($"pictures/{name}", SquareDetector.Picture(squares));
}
