using DetectionSample;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Tests.Images.Coco;

namespace MLNet.PQCompression.Tests;

/// <summary>A detector in a pipeline: lists of boxes, labels, scores and masks.</summary>
public sealed class DetectionTests : IDisposable
{
    private static readonly string[] Classes = ["red", "green"];

    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly string _model;
    private readonly IDataView _paths;

    public DetectionTests()
    {
        _model = Path.Combine(_folder.Path, "squares.onnx");
        OnnxWriter.Write(SquareDetector.Create(), _model);
        _paths = _context.Data.LoadFromEnumerable(new PathRow[]
        {
            new() { Image = Picture("a.ppm", (0, 0, 'r'), (16, 16, 'g')) }, new() { Image = Picture("b.ppm") }, new() { Image = Picture("c.ppm", (32, 48, 'g')) },
        });
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_lists_of_a_row_are_as_long_as_there_are_objects()
    {
        PqDetectionEstimator estimator = _context.Transforms.DetectObjects("Image", _model, Classes);
        using PqDetectionTransformer detector = estimator.Fit(_paths);
        Assert.Equal("yolox", detector.Profile.Name);
        Assert.Equal(Classes, detector.ClassNames);
        Assert.Equal(["Image", "Label", "Boxes", "Labels", "Scores"], detector.GetOutputSchema(_paths.Schema).Select(c => c.Name));
        Found[] rows = Rows(detector.Transform(_paths));
        Assert.Equal([2, 0, 1], rows.Select(r => r.Labels.Length));
        Assert.Equal([1u, 2u], rows[0].Labels.Order());
        Assert.Equal([32, 48, 48, 64], rows[2].Boxes);
        Assert.InRange(Assert.Single(rows[2].Scores), 0.85f, 1f); // the resize mixes a little black into a cell
        IDataView named = estimator.Append(_context.Transforms.Conversion.MapKeyToValue("Names", "Labels")).Fit(_paths).Transform(_paths);
        Assert.Equal(["green"], named.GetColumn<string[]>("Names").Last());
        Assert.Contains(estimator.GetOutputSchema(PathShape()), c => c is { Name: "Labels", IsKey: true, Kind: SchemaShape.Column.VectorKind.VariableVector or SchemaShape.Column.VectorKind.Vector });
    }

    [Fact]
    public void Every_kind_of_image_column_gives_the_same_objects()
    {
        PathRow[] paths = [.. _context.Data.CreateEnumerable<PathRow>(_paths, reuseRowObject: false)];
        IDataView encoded = _context.Data.LoadFromEnumerable(paths.Select(p => new EncodedRow { Image = File.ReadAllBytes(p.Image) }));
        using PqDetectionTransformer byPath = _context.Transforms.DetectObjects("Image", _model, Classes).Fit(_paths), byBytes = _context.Transforms.DetectObjects("Image", _model, Classes).Fit(encoded);
        Assert.Equal(_paths.Schema.Count + 3, byPath.GetOutputSchema(_paths.Schema).Count);
        Assert.Equal(byPath.Transform(_paths).GetColumn<float[]>("Boxes"), byBytes.Transform(encoded).GetColumn<float[]>("Boxes"));
    }

    [Fact]
    public void A_saved_detector_is_loaded_by_any_context()
    {
        using PqDetectionTransformer detector = _context.Transforms.DetectObjects("Image", _model, Classes).Fit(_paths);
        string zip = Path.Combine(_folder.Path, "detector.zip");
        _context.Model.Save(detector, _paths.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        IDataView before = detector.Transform(_paths), after = loaded.Transform(_paths);
        Assert.Equal(before.Schema.Select(c => (c.Name, c.Type)), after.Schema.Where(c => !c.IsHidden).Select(c => (c.Name, c.Type)));
        Assert.Equal(before.GetColumn<float[]>("Boxes"), after.GetColumn<float[]>("Boxes"));
        Assert.Equal(before.GetColumn<float[]>("Scores"), after.GetColumn<float[]>("Scores"));
        Assert.Equal(Rows(before).Select(r => r.Labels), Rows(after).Select(r => r.Labels));
        Assert.Empty(_context.Model.FindCompressedModels(loaded));
        using PqDetectionTransformer found = Assert.Single(_context.Model.FindDetectors(loaded));
        Assert.Equal(before.GetColumn<float[]>("Boxes"), found.Transform(_paths).GetColumn<float[]>("Boxes"));
        using var engine = _context.Model.CreatePredictionEngine<PathRow, Found>(loaded);
        Assert.Equal(2, engine.Predict(_context.Data.CreateEnumerable<PathRow>(_paths, reuseRowObject: false).First()).Labels.Length);
    }

    [Fact]
    public void A_detector_is_compressed_by_its_pipeline()
    {
        PqDetectionEstimator.Options options = new()
        {
            ModelFile = _model,
            ClassNames = Classes,
            Compression = new() { Threads = 1, Views = 1, Overrides = [new("conv8", 8, 4), new("conv16", Skip: true), new("conv32", Skip: true)] },
        };
        using PqDetectionTransformer detector = _context.Transforms.DetectObjects(options).Fit(_paths);
        Assert.Single(detector.Report!.Layers, l => l.Plan.IsQuantized);
        Assert.Equal([2, 0, 1], Rows(detector.Transform(_paths)).Select(r => r.Labels.Length));
    }

    [Fact]
    public void What_is_no_detector_or_has_no_masks_is_refused()
    {
        string classifier = TestNetwork.Graph(withClasses: true).Save(_folder);
        Assert.Contains("Profile", Assert.Throws<InvalidModelException>(() => _context.Transforms.DetectObjects("Image", classifier).Fit(_paths)).Message);
        Assert.Contains("MasksColumnName", Assert.Throws<InvalidModelException>(() => _context.Transforms.DetectObjects(new PqDetectionEstimator.Options { ModelFile = _model, MasksColumnName = "Masks" }).Fit(_paths)).Message);
        Assert.Contains("3 names", Assert.Throws<InvalidModelException>(() => _context.Transforms.DetectObjects("Image", _model, ["a", "b", "c"]).Fit(_paths)).Message);
        Assert.Throws<ArgumentException>(() => _context.Transforms.DetectObjects(new PqDetectionEstimator.Options { ModelFile = _model, ScoresColumnName = "Boxes" }));
    }

    [SkippableFact]
    public void A_mask_rcnn_gives_a_byte_for_each_pixel()
    {
        string model = SharedData.Require("maskrcnn/maskrcnn-scenes.onnx");
        using ImageSource scenes = ImageSource.Open(SharedData.Require("maskrcnn/scenes-test-300.zip"));
        IDataView rows = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 2).Select(i => new EncodedRow { Image = scenes.Read(i) }));
        using PqDetectionTransformer detector = _context.Transforms.DetectObjects(new PqDetectionEstimator.Options
        {
            ModelFile = model, MasksColumnName = "Masks", ClassNames = ["disk", "square", "triangle", "star", "ring", "cross"], Detections = new() { LeastScore = 0.9f },
        }).Fit(rows);
        IDataView found = detector.Transform(rows);
        byte[][] masks = [.. found.GetColumn<byte[]>("Masks")];
        float[][] boxes = [.. found.GetColumn<float[]>("Boxes")];
        Assert.All(masks.Zip(boxes), pair => Assert.Equal(pair.Second.Length / 4 * 128 * 128, pair.First.Length));
        Assert.All(masks.SelectMany(m => m.Chunk(128 * 128)), mask => Assert.InRange(mask.Sum(v => v), 20, 128 * 128 / 2));
    }

    [SkippableFact]
    public void The_sample_finds_the_signs_in_its_street()
    {
        string names = Path.Combine(AppContext.BaseDirectory, "coco-names.txt"), pictures = Path.Combine(AppContext.BaseDirectory, "pictures");
        DrawnFile drawn = Assert.Single(PictureFolder.Draw(SharedData.Require("models/yolox_nano.onnx"), pictures, File.ReadAllLines(names), _folder.Path));
        Assert.All(["stop sign", "clock", "traffic light"], name => Assert.Contains(drawn.Objects, o => o.StartsWith(name, StringComparison.Ordinal)));
        Assert.True(File.Exists(drawn.Path));
    }

    private static Found[] Rows(IDataView view) => [.. new MLContext().Data.CreateEnumerable<Found>(view, reuseRowObject: false)];

    /// <summary>The shape of a schema of paths, by way of an estimator that makes their columns.</summary>
    private static SchemaShape PathShape() =>
        new MLContext().Transforms.CustomMapping<Nothing, PathRow>((_, _) => { }, null, null, SchemaDefinition.Create(typeof(PathRow))).GetOutputSchema(new SchemaShape([]));

    private string Picture(string name, params ReadOnlySpan<(int X, int Y, char Colour)> squares)
    {
        string path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, SquareDetector.Picture(squares));
        return path;
    }

    private sealed class Nothing;

    private sealed class Found
    {
        public float[] Boxes { get; set; } = [];

        public uint[] Labels { get; set; } = [];

        public float[] Scores { get; set; } = [];
    }
}
