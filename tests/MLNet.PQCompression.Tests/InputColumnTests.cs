using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>The image column may have any of four types; each gives the network the same input.</summary>
public sealed class InputColumnTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly string _model;
    private readonly float[] _expected;

    public InputColumnTests()
    {
        _model = TestNetwork.Graph().Save(_folder);
        _expected = ReferenceScores.Of(_model, [TestNetwork.Pixels(3)])[0];
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pixels_plane_after_plane() => AssertScores(new PixelRow { Image = TestNetwork.Pixels(3) });

    [Fact]
    public void Pixels_pixel_after_pixel() => AssertScores(new InterleavedRow { Image = TestImages.Interleave(TestNetwork.Pixels(3)) });

    [Fact]
    public void Pixels_without_dimensions_are_read_as_the_options_say()
    {
        AssertScores(new FlatRow { Image = TestNetwork.Pixels(3) });
        AssertScores(new FlatRow { Image = TestImages.Interleave(TestNetwork.Pixels(3)) }, o => o.Pixels = new(PixelLayout.Interleaved));
    }

    [Fact]
    public void Pixels_in_blue_green_red_order()
    {
        float[] rgb = TestNetwork.Pixels(3);
        int area = TestNetwork.Side * TestNetwork.Side;
        AssertScores(new PixelRow { Image = [.. rgb[(2 * area)..], .. rgb[area..(2 * area)], .. rgb[..area]] }, o => o.Pixels = new(Order: ChannelOrder.Bgr));
    }

    [Fact]
    public void Pixels_normalised_before()
    {
        var normalised = new float[TestNetwork.Length];
        new PixelVectorFormat().Apply(TestNetwork.Pixels(3), ImagePreprocessing.Default(new(1, 3, 8, 8)), normalised);
        AssertScores(new PixelRow { Image = normalised }, o => o.Pixels = new(Normalized: true));
    }

    [Fact]
    public void An_encoded_image() => AssertScores(new EncodedRow { Image = TestImages.Encode(TestNetwork.Image(3)) });

    [Fact]
    public void A_path()
    {
        File.WriteAllBytes(_folder.File("a.ppm"), TestImages.Encode(TestNetwork.Image(3)));
        AssertScores(new PathRow { Image = "a.ppm" }, o => o.ImageFolder = _folder.Path);
        AssertScores(new PathRow { Image = _folder.File("a.ppm") });
    }

    [Fact]
    public void An_image_of_ML_NET()
    {
        using MLImage image = TestImages.ToMLImage(TestNetwork.Image(3));
        AssertScores(new ImageRow { Image = image });
    }

    [Fact]
    public void Images_loaded_and_extracted_by_ML_NET()
    {
        using (MLImage image = TestImages.ToMLImage(TestNetwork.Image(3)))
            image.Save(_folder.File("a.png"));
        IDataView data = _context.Data.LoadFromEnumerable([new PathRow { Image = "a.png" }]);
        foreach (bool interleave in new[] { false, true })
        {
            var pipeline = _context.Transforms.LoadImages("Loaded", _folder.Path, nameof(PathRow.Image))
                .Append(_context.Transforms.ResizeImages("Resized", TestNetwork.Side, TestNetwork.Side, "Loaded"))
                .Append(_context.Transforms.ExtractPixels("Pixels", "Resized", interleavePixelColors: interleave))
                .Append(_context.Transforms.ScoreCompressedModel("Score", "Pixels", _model))
                .Append(_context.Transforms.ScoreCompressedModel(new PqScoringEstimator.Options
                { OutputColumnName = "Score2", PredictedLabelColumnName = "PredictedLabel2", InputColumnName = "Loaded", ModelFile = _model }));
            IDataView scored = pipeline.Fit(data).Transform(data);
            ReferenceScores.AssertClose(_expected, scored.GetColumn<float[]>("Score").Single());
            ReferenceScores.AssertClose(_expected, scored.GetColumn<float[]>("Score2").Single());
        }
    }

    [Fact]
    public void Preprocessing_can_be_set()
    {
        var preprocessing = ImagePreprocessing.Default(new(1, 3, 8, 8)) with { Mean = [0, 0, 0], Std = [1, 1, 1] };
        var row = new EncodedRow { Image = TestImages.Encode(TestNetwork.Image(3)) };
        float[] scores = Score(row, o => o.Preprocessing = preprocessing);
        Assert.True(scores.Zip(_expected, (a, b) => Math.Abs(a - b)).Max() > 1e-3);
        ReferenceScores.AssertClose(scores, Score(new PixelRow { Image = [.. TestNetwork.Pixels(3).Select(p => p / 255)] }, o => (o.Preprocessing, o.Pixels) = (preprocessing, new(Normalized: true))));
    }

    private void AssertScores<T>(T row, Action<PqScoringEstimator.Options>? change = null) where T : class => ReferenceScores.AssertClose(_expected, Score(row, change));

    private float[] Score<T>(T row, Action<PqScoringEstimator.Options>? change) where T : class
    {
        var options = new PqScoringEstimator.Options { InputColumnName = "Image", ModelFile = _model };
        change?.Invoke(options);
        IDataView data = _context.Data.LoadFromEnumerable([row]);
        return _context.Transforms.ScoreCompressedModel(options).Fit(data).Transform(data).GetColumn<float[]>("Score").Single();
    }
}
