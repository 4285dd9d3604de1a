using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>The estimator: fitting, its log, cancellation and what it refuses.</summary>
public sealed class CompressionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly IDataView _data;
    private readonly string _model;

    public CompressionTests()
    {
        _model = TestNetwork.Graph().Save(_folder);
        _data = _context.Data.LoadFromEnumerable(PixelRow.Make(60));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fit_compresses_and_the_student_follows_the_teacher()
    {
        using PqCompressionTransformer model = Fit();
        Assert.Contains(model.Model.Initializers.Values, i => i is QuantizedTensor);
        Assert.NotNull(model.Report);
        Assert.True(model.Report.Ratio > 1.5, $"{model.Report.Ratio}");
        Assert.Equal(60, model.Report.Images);
        float[][] teacher = ReferenceScores.Of(_model, PixelRow.Make(60).Select(r => r.Image));
        float[][] student = [.. model.Transform(_data).GetColumn<float[]>("Score")];
        Assert.InRange(teacher.Zip(student).Average(p => p.First.Zip(p.Second, (a, b) => Math.Abs(a - b)).Sum()), 1e-6, 0.5);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_the_zip_the_same_bits()
    {
        using PqCompressionTransformer first = Fit(), second = Fit();
        first.SaveAsOnnx(_folder.File("first.onnx"));
        second.SaveAsOnnx(_folder.File("second.onnx"));
        Assert.Equal(File.ReadAllBytes(_folder.File("first.onnx")), File.ReadAllBytes(_folder.File("second.onnx")));
        using var zip = new MemoryStream();
        _context.Model.Save(first, _data.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        Assert.Equal(first.Transform(_data).GetColumn<float[]>("Score"), loaded.Transform(_data).GetColumn<float[]>("Score"));
        using PqCompressionTransformer scoring = _context.Transforms.ScoreCompressedModel("Score", "Image", _folder.File("first.onnx")).Fit(_data);
        Assert.Equal(first.Transform(_data).GetColumn<float[]>("Score"), scoring.Transform(_data).GetColumn<float[]>("Score"));
    }

    [Fact]
    public void Stages_and_layers_are_logged_and_reported()
    {
        var messages = new List<string>();
        var reports = new List<CompressionProgress>();
        _context.Log += (_, e) => { if (e.Source.Contains("CompressModel", StringComparison.Ordinal)) messages.Add(e.Message); };
        Fit(o => o.Progress = new Progress(reports.Add)).Dispose();
        Assert.Contains(messages, m => m.Contains("reading images", StringComparison.Ordinal));
        Assert.Contains(messages, m => m.Contains("quantizing", StringComparison.Ordinal) && m.Contains("conv2", StringComparison.Ordinal));
        Assert.Contains(messages, m => m.Contains("% after 0:", StringComparison.Ordinal) && m.Contains(" left", StringComparison.Ordinal));
        Assert.Contains(reports, r => r.Layer is not null && r.Layer.Contains("conv2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_budget_is_kept_to()
    {
        long target = 0;
        using (PqCompressionTransformer small = Fit())
            target = (long)(1.3 * OnnxWriter.Size(small.Model));
        using PqCompressionTransformer model = Fit(o => o.Budget = new() { FileBytes = target });
        Assert.InRange(OnnxWriter.Size(model.Model), target / 2, target);
        Assert.Contains("the smallest plan takes", Assert.Throws<ArgumentException>(() => Fit(o => o.Budget = new() { FileBytes = 500 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Fit(o => (o.CancellationToken, o.Progress) = (source.Token, new Progress(_ => source.Cancel()))));
    }

    [Fact]
    public void Cross_validation_fits_each_fold()
    {
        float[][] teacher = ReferenceScores.Of(_model, PixelRow.Make(60).Select(r => r.Image));
        IDataView data = _context.Data.LoadFromEnumerable(
            PixelRow.Make(60).Zip(teacher, (r, t) => new PixelRow { Image = r.Image, Class = TestNetwork.Classes[Array.IndexOf(t, t.Max())] }));
        IDataView labelled = _context.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(data).Transform(data);
        var folds = _context.MulticlassClassification.CrossValidate(labelled, _context.Transforms.CompressModel("Score", "Image", _model), numberOfFolds: 3);
        Assert.Equal(3, folds.Count);
        Assert.All(folds, f => Assert.InRange(f.Metrics.MicroAccuracy, 0.5, 1));
    }

    [Fact]
    public void Images_are_taken_from_all_of_the_data_and_no_more_than_asked_for()
    {
        int read = 0;
        IDataView sorted = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 1000).Select(i => { read++; return new PathRow { Image = _folder.File($"{i}.ppm") }; }));
        foreach (int i in Enumerable.Range(0, 20).Select(i => i * 50))
            File.WriteAllBytes(_folder.File($"{i}.ppm"), TestImages.Encode(TestNetwork.Image(i)));
        using PqCompressionTransformer model = _context.Transforms.CompressModel("Score", "Image", _model, maxImages: 20).Fit(sorted);
        Assert.Equal(20, model.Report!.Images);
    }

    [Fact]
    public void Options_reach_the_compressor()
    {
        using PqCompressionTransformer model = Fit(o => o.Compression = new() { Method = CompressionMethod.Plain, Codewords = 8, Overrides = [new("fc*", Skip: true)] });
        Assert.IsType<DenseTensor>(model.Model.Initializers["fc.weight"]);
        Assert.True(Assert.IsType<QuantizedTensor>(model.Model.Initializers["conv2.weight"]).Codewords <= 8);
    }

    [Fact]
    public void Fine_tuning_reads_the_rest_of_the_data_and_brings_the_student_closer()
    {
        float[][] teacher = ReferenceScores.Of(_model, PixelRow.Make(60).Select(r => r.Image));
        double Divergence(DistillationOptions? distillation)
        {
            using PqCompressionTransformer model = Fit(o => o.Compression = new() { Method = CompressionMethod.Plain, MaxImages = 16, Codewords = 8, Distillation = distillation });
            return teacher.Zip(model.Transform(_data).GetColumn<float[]>("Score")).Average(p => p.First.Zip(p.Second, (a, b) => a * Math.Log(a / b)).Sum());
        }
        Assert.True(Divergence(new() { LayerSteps = 20, Epochs = 10, BatchSize = 20, Augmentation = Augmentation.None }) < Divergence(null));
    }

    [Fact]
    public void The_first_images_are_spread_over_all_rows_and_the_others_follow()
    {
        var input = new Columns.ImageInput(ImagePreprocessing.Default(new(1, 3, 8, 8)), new(), null);
        var source = new Fitting.DataViewSampleSource(_data, Columns.ImageColumn.Bind(_data.Schema, "Image", input), null, first: 4, most: 12, skip: null);
        Assert.Equal(12, source.Count);
        for (int pass = 0; pass < 2; pass++)
        {
            string[] names = [.. source.Read(5).SelectMany(b => b.Names)];
            Assert.Equal(["row 10", "row 25", "row 40", "row 55", "row 0", "row 5", "row 15", "row 20", "row 30", "row 35", "row 45", "row 50"], names);
        }
    }

    [Fact]
    public void A_GPU_is_used_or_refused_but_never_silently_left()
    {
        Assert.Contains("FallbackToCpu", Assert.Throws<InvalidOperationException>(() => Fit(o => o.GpuDeviceId = 0)).Message, StringComparison.Ordinal);
        Fit(o => (o.GpuDeviceId, o.FallbackToCpu) = (0, true)).Dispose();
        var onGpu = new MLContext { GpuDeviceId = 0 };
        Assert.Throws<InvalidOperationException>(() => onGpu.Transforms.CompressModel("Score", "Image", _model).Fit(_data));
        onGpu.FallbackToCpu = true;
        onGpu.Transforms.CompressModel("Score", "Image", _model).Fit(_data).Dispose();
    }

    [Fact]
    public void A_missing_column_is_named_with_those_there_are()
    {
        foreach (var error in new[]
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.CompressModel("Score", "Picture", _model).Fit(_data)),
            Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.CopyColumns("Copy", "Name").Append(_context.Transforms.CompressModel("Score", "Picture", _model)).Fit(_data)),
        })
        {
            Assert.Contains("'Picture'", error.Message, StringComparison.Ordinal);
            Assert.Contains("'Image'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_column_that_holds_no_image_is_named_with_its_type()
    {
        IDataView keyed = _context.Transforms.Conversion.MapValueToKey("Key", "Class").Fit(_data).Transform(_data);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.CompressModel("Score", "Key", _model).Fit(keyed));
        Assert.Contains("'Key'", error.Message, StringComparison.Ordinal);
        Assert.Contains("LoadImages", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_of_the_wrong_size_are_refused_before_a_row_is_read()
    {
        IDataView wide = _context.Transforms.Concatenate("Wide", "Image", "Image").Fit(_data).Transform(_data);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _context.Transforms.CompressModel("Score", "Wide", _model).Fit(wide));
        Assert.Contains("384", error.Message, StringComparison.Ordinal);
        Assert.Contains("3×8×8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_rows_are_refused()
    {
        var error = Assert.Throws<InvalidOperationException>(() => _context.Transforms.CompressModel("Score", "Image", _model).Fit(_context.Data.LoadFromEnumerable(Array.Empty<PixelRow>())));
        Assert.Contains("no rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_that_does_not_decode_is_named_by_column_and_row()
    {
        EncodedRow[] rows = [.. Enumerable.Range(0, 30).Select(i => new EncodedRow { Image = i == 17 ? [1, 2, 3] : TestImages.Encode(TestNetwork.Image(i)) })];
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        var error = Assert.Throws<ImageRowException>(() => _context.Transforms.CompressModel("Score", "Image", _model).Fit(data));
        Assert.Equal(("Image", 17), (error.ColumnName, error.Row));
        var warnings = new List<string>();
        _context.Log += (_, e) => { if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning) warnings.Add(e.Message); };
        var options = new PqCompressionEstimator.Options { InputColumnName = "Image", ModelFile = _model, OnBadImage = OnBadImage.Skip };
        using PqCompressionTransformer model = _context.Transforms.CompressModel(options).Fit(data);
        Assert.Equal(29, model.Report!.Images);
        Assert.Contains("Left out", Assert.Single(warnings, w => w.Contains("row 17", StringComparison.Ordinal)), StringComparison.Ordinal);

        using DataViewRowCursor cursor = model.Transform(data).GetRowCursor(model.GetOutputSchema(data.Schema));
        for (int i = 0; i < 17; i++)
            Assert.True(cursor.MoveNext());
        Assert.Equal(17, Assert.Throws<ImageRowException>(() => cursor.MoveNext()).Row);
    }

    [Fact]
    public void Rows_without_an_image_are_named()
    {
        foreach (string path in new[] { "", "nowhere.png" })
        {
            IDataView data = _context.Data.LoadFromEnumerable([new PathRow { Image = path }]);
            var error = Assert.Throws<ImageRowException>(() => _context.Transforms.CompressModel("Score", "Image", _model).Fit(data));
            Assert.Contains("row 0", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_model_that_is_missing_or_no_ConvNet_is_refused()
    {
        Assert.Throws<FileNotFoundException>(() => _context.Transforms.CompressModel("Score", "Image", _folder.File("no.onnx")));
        File.WriteAllText(_folder.File("text.onnx"), "this is no model");
        Assert.Throws<InvalidModelException>(() => _context.Transforms.CompressModel("Score", "Image", _folder.File("text.onnx")).Fit(_data));
        Dictionary<string, Initializer> weights = new() { ["w"] = new DenseTensor(new(4, 2), new float[8]) };
        var matrix = new ModelGraph("matrix", new("x", new(-1, 4)), [new("y", new(-1, 2))], [new("mm", new MatMul(), ["x", "w"], "y")], weights);
        var error = Assert.Throws<InvalidModelException>(() => _context.Transforms.CompressModel("Score", "Image", matrix.Save(_folder, "matrix.onnx")).Fit(_data));
        Assert.Contains("input", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Class_names_must_fit_and_be_those_of_the_label()
    {
        var error = Assert.Throws<InvalidModelException>(() => _context.Transforms.CompressModel("Score", "Image", _model, classNames: ["a", "b"]).Fit(_data));
        Assert.Contains("5 classes", error.Message, StringComparison.Ordinal);
        IDataView labelled = _context.Transforms.Conversion.MapValueToKey("Label", "Name").Fit(_data).Transform(_data);
        Assert.Contains("image 0", Assert.Throws<ArgumentException>(() => _context.Transforms.CompressModel("Score", "Image", _model).Fit(labelled)).Message, StringComparison.Ordinal);
    }

    private PqCompressionTransformer Fit(Action<PqCompressionEstimator.Options>? change = null)
    {
        var options = new PqCompressionEstimator.Options { InputColumnName = "Image", ModelFile = _model };
        change?.Invoke(options);
        return _context.Transforms.CompressModel(options).Fit(_data);
    }

    private sealed class Progress(Action<CompressionProgress> report) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value) => report(value);
    }
}
