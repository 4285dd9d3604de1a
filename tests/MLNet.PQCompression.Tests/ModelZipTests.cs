using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>Saving into the model zip of ML.NET and loading from it, with nothing registered.</summary>
public sealed class ModelZipTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);
    private readonly PixelRow[] _rows = PixelRow.Make(40);
    private readonly IDataView _data;
    private readonly string _model;

    public ModelZipTests()
    {
        _model = TestNetwork.Graph().Save(_folder);
        _data = _context.Data.LoadFromEnumerable(_rows);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_loaded_pipeline_scores_the_same_bits()
    {
        using PqCompressionTransformer model = Fit(_data);
        IDataView scored = model.Transform(_data);
        ITransformer loaded = SaveAndLoad(model, _data, out DataViewSchema input);
        Assert.Contains(input, c => c.Name == "Image");
        IDataView again = loaded.Transform(_data);
        Assert.Equal(scored.GetColumn<float[]>("Score"), again.GetColumn<float[]>("Score"));
        Assert.Equal(scored.GetColumn<uint>("PredictedLabel"), again.GetColumn<uint>("PredictedLabel"));
        Assert.Equal(_rows.Select(r => r.Name), again.GetColumn<string>("Name"));
        using var engine = new MLContext().Model.CreatePredictionEngine<PixelRow, ScoreRow>(loaded);
        Assert.Equal(scored.GetColumn<float[]>("Score").Last(), engine.Predict(_rows[^1]).Score);
    }

    [Fact]
    public void A_loaded_pipeline_has_the_same_columns()
    {
        using PqCompressionTransformer model = Fit(_data);
        DataViewSchema before = model.GetOutputSchema(_data.Schema), after = SaveAndLoad(model, _data, out _).GetOutputSchema(_data.Schema);
        Assert.Equal(before.Where(c => !c.IsHidden).Select(c => (c.Name, c.Type)), after.Where(c => !c.IsHidden).Select(c => (c.Name, c.Type)));
        VBuffer<ReadOnlyMemory<char>> names = default;
        after["PredictedLabel"].GetKeyValues(ref names);
        Assert.Equal(TestNetwork.Classes, names.DenseValues().Select(n => n.ToString()));
    }

    [Fact]
    public void Another_process_loads_and_scores_the_same_bits()
    {
        using PqCompressionTransformer model = Fit(_data);
        string zip = _folder.File("model.zip");
        _context.Model.Save(model, _data.Schema, zip);
        string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar))!);
        string program = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "../../../../MLNet.PQCompression.LoadAndScore/bin", configuration, "net10.0/MLNet.PQCompression.LoadAndScore.dll"));
        string pixels = string.Join(',', _rows[5].Image.Select(p => p.ToString(CultureInfo.InvariantCulture)));
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [program, zip, pixels]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd(), errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        IDataView scored = model.Transform(_data);
        Assert.Equal(string.Join(' ', scored.GetColumn<float[]>("Score").ElementAt(5).Select(BitConverter.SingleToUInt32Bits)), lines[0]);
        Assert.Equal(scored.GetColumn<uint>("PredictedLabel").ElementAt(5).ToString(CultureInfo.InvariantCulture), lines[1]);
    }

    [Fact]
    public void Every_type_of_image_column_survives()
    {
        File.WriteAllBytes(_folder.File("a.ppm"), TestImages.Encode(TestNetwork.Image(3)));
        using MLImage image = TestImages.ToMLImage(TestNetwork.Image(3));
        AssertSurvives([new ImageRow { Image = image }]);
        AssertSurvives([new PixelRow { Image = TestNetwork.Pixels(3) }]);
        AssertSurvives([new InterleavedRow { Image = TestImages.Interleave(TestNetwork.Pixels(3)) }]);
        AssertSurvives([new EncodedRow { Image = TestImages.Encode(TestNetwork.Image(3)) }]);
        AssertSurvives([new PathRow { Image = "a.ppm" }], _folder.Path);
    }

    [Fact]
    public void Images_that_ML_NET_loads_survive_with_and_without_a_known_size()
    {
        using (MLImage image = TestImages.ToMLImage(TestNetwork.Image(3)))
            image.Save(_folder.File("a.png"));
        var rows = new[] { new PathRow { Image = "a.png" } };
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        foreach (string column in new[] { "Loaded", "Resized" })
        {
            var pipeline = _context.Transforms.LoadImages("Loaded", _folder.Path, "Image")
                .Append(_context.Transforms.ResizeImages("Resized", 11, 9, "Loaded"))
                .Append(_context.Transforms.ScoreCompressedModel("Score", column, _model));
            using var model = pipeline.Fit(data);
            ITransformer loaded = SaveAndLoad(model, data, out _);
            float[] expected = model.Transform(data).GetColumn<float[]>("Score").Single();
            Assert.Equal(expected, loaded.Transform(data).GetColumn<float[]>("Score").Single());
            using var engine = new MLContext().Model.CreatePredictionEngine<PathRow, ScoreRow>(loaded);
            Assert.Equal(expected, engine.Predict(rows[0]).Score);
            using PqCompressionTransformer found = _context.Model.FindCompressedModels(loaded).Single();
            IDataView images = _context.Transforms.LoadImages("Loaded", _folder.Path, "Image").Append(_context.Transforms.ResizeImages("Resized", 11, 9, "Loaded")).Fit(data).Transform(data);
            Assert.Equal(expected, found.Transform(images).GetColumn<float[]>("Score").Single());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    [InlineData(1000)]
    public void Any_number_of_classes_survives(int count)
    {
        string path = WideNetwork(count).Save(_folder, "wide.onnx");
        using PqCompressionTransformer model = _context.Transforms.ScoreCompressedModel("Score", "Image", path).Fit(_data);
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Score"), SaveAndLoad(model, _data, out _).Transform(_data).GetColumn<float[]>("Score"));
    }

    [Fact]
    public void A_chain_with_other_transforms_evaluates_after_loading()
    {
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_context.Transforms.ScoreCompressedModel("Score", "Image", _model))
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"));
        using var model = pipeline.Fit(_data);
        ITransformer loaded = SaveAndLoad(model, _data, out _);
        Assert.Equal(model.Transform(_data).GetColumn<string>("PredictedClass"), loaded.Transform(_data).GetColumn<string>("PredictedClass"));
        Assert.Equal(
            _context.MulticlassClassification.Evaluate(model.Transform(_data)).LogLoss, _context.MulticlassClassification.Evaluate(loaded.Transform(_data)).LogLoss, 12);
    }

    [Fact]
    public void The_network_is_found_in_a_loaded_chain()
    {
        var pipeline = _context.Transforms.CopyColumns("Copy", "Name").Append(_context.Transforms.ScoreCompressedModel("Score", "Image", _model));
        using var model = pipeline.Fit(_data);
        Assert.Same(model.LastTransformer, Assert.Single(_context.Model.FindCompressedModels(model)));
        ITransformer loaded = SaveAndLoad(model, _data, out _);
        using PqCompressionTransformer found = Assert.Single(_context.Model.FindCompressedModels(loaded));
        Assert.Equal<string>(TestNetwork.Classes, [.. found.ClassNames]);
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Score"), found.Transform(_data).GetColumn<float[]>("Score"));
        string second = _folder.File("second.onnx");
        found.SaveAsOnnx(second);
        using PqCompressionTransformer again = _context.Transforms.ScoreCompressedModel("Score", "Image", second).Fit(_data);
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Score"), again.Transform(_data).GetColumn<float[]>("Score"));
        Assert.Empty(_context.Model.FindCompressedModels(_context.Transforms.CopyColumns("Copy", "Name").Fit(_data)));
    }

    [Fact]
    public void A_loaded_pipeline_can_be_saved_again()
    {
        using PqCompressionTransformer model = Fit(_data);
        ITransformer twice = SaveAndLoad(SaveAndLoad(model, _data, out _), _data, out _);
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Score"), twice.Transform(_data).GetColumn<float[]>("Score"));
    }

    [Fact]
    public void The_zip_is_little_larger_than_the_onnx_file()
    {
        string path = WideNetwork(1000, hidden: 512).Save(_folder, "wide.onnx");
        using PqCompressionTransformer model = _context.Transforms.ScoreCompressedModel("Score", "Image", path).Fit(_data);
        string zip = _folder.File("wide.zip");
        _context.Model.Save(model, _data.Schema, zip);
        Assert.InRange(new FileInfo(zip).Length, 0, new FileInfo(path).Length * 1.03 + 20_000);
    }

    [Fact]
    public void A_loaded_pipeline_names_the_column_of_an_image_that_does_not_decode()
    {
        IDataView data = _context.Data.LoadFromEnumerable([new EncodedRow { Image = TestImages.Encode(TestNetwork.Image(3)) }]);
        using PqCompressionTransformer model = Fit(data);
        using var engine = _context.Model.CreatePredictionEngine<EncodedRow, ScoreRow>(SaveAndLoad(model, data, out _));
        Assert.Equal(5, engine.Predict(new() { Image = TestImages.Encode(TestNetwork.Image(4)) }).Score.Length);
        var error = Assert.Throws<InvalidDataException>(() => engine.Predict(new() { Image = [1, 2, 3] }));
        Assert.Contains("'Image'", error.Message, StringComparison.Ordinal);
        Assert.Contains("missing", Assert.Throws<InvalidDataException>(() => engine.Predict(new())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_a_newer_version_is_refused_and_a_broken_one_named()
    {
        string text = new Saving.ModelPayload(
            Scoring.ScoringModel.Create(TestNetwork.Graph(), new PqScoringEstimator.Options(), null, "small"),
            new(ImagePreprocessing.Default(new(1, 3, 8, 8)), new(), null), "Image", Columns.ImageColumnKind.Pixels, new(["Score"], "PredictedLabel")).ToText();
        Assert.Equal("Image", Saving.ModelPayload.Parse(text.AsMemory()).InputName);
        string newer = text.Replace("{\"Format\":1,", "{\"Format\":3,", StringComparison.Ordinal);
        Assert.NotEqual(text, newer);
        var refused = Assert.Throws<InvalidModelException>(() => Saving.ModelPayload.Parse(newer.AsMemory()));
        Assert.Contains("format 3", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Update the package", refused.Message, StringComparison.Ordinal);
        foreach (string broken in new[] { "", "{", "{}\n", text[..20], text[..(text.Length / 2)], text + "!", text.Replace("\"Order\":[0,1", "\"Order\":[0,0", StringComparison.Ordinal) })
            Assert.Throws<InvalidModelException>(() => Saving.ModelPayload.Parse(broken.AsMemory()));
    }

    [Fact]
    public void A_flipped_bit_of_the_codes_is_an_error_that_names_the_weight()
    {
        ushort[] codes = [.. Enumerable.Range(0, 40).Select(i => (ushort)(i * 7 % 16))];
        ModelGraph graph = WideNetwork(10, hidden: 16).WithInitializers(
            [new("fc.weight", new QuantizedTensor(new(10, 16), 4, [.. Enumerable.Range(0, 64).Select(i => i / 64f)], codes))]);
        string text = new Saving.ModelPayload(
            Scoring.ScoringModel.Create(graph, new PqScoringEstimator.Options(), null, "small"),
            new(ImagePreprocessing.Default(new(1, 3, 8, 8)), new(), null), "Image", Columns.ImageColumnKind.Pixels, new(["Score"], "PredictedLabel")).ToText();
        int start = text.IndexOf('\n', StringComparison.Ordinal) + 1;
        byte[] onnx = Convert.FromBase64String(text[start..]);
        int at = onnx.AsSpan().IndexOf([.. codes.Select(c => (byte)c)]);
        Assert.True(at > 0);
        onnx[at + 11] ^= 1;
        string message = Assert.Throws<InvalidModelException>(() => Saving.ModelPayload.Parse((text[..start] + Convert.ToBase64String(onnx)).AsMemory())).Message;
        Assert.Contains("'fc.weight'", message, StringComparison.Ordinal);
    }

    private PqCompressionTransformer Fit(IDataView data) => _context.Transforms.ScoreCompressedModel("Score", "Image", _model).Fit(data);

    private ITransformer SaveAndLoad(ITransformer model, IDataView data, out DataViewSchema input)
    {
        using var stream = new MemoryStream();
        _context.Model.Save(model, data.Schema, stream);
        return new MLContext().Model.Load(stream, out input);
    }

    private void AssertSurvives<T>(T[] rows, string? folder = null) where T : class
    {
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        using PqCompressionTransformer model = _context.Transforms
            .ScoreCompressedModel(new PqScoringEstimator.Options { InputColumnName = "Image", ModelFile = _model, ImageFolder = folder }).Fit(data);
        Assert.Equal(model.Transform(data).GetColumn<float[]>("Score").Single(), SaveAndLoad(model, data, out _).Transform(data).GetColumn<float[]>("Score").Single());
    }

    private static ModelGraph WideNetwork(int classes, int hidden = 4)
    {
        var random = new Random(3);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        Dictionary<string, Initializer> weights = new()
        {
            ["conv.weight"] = new DenseTensor(new(hidden, 3, 3, 3), Values(hidden * 27)),
            ["fc.weight"] = new DenseTensor(new(classes, hidden), Values(classes * hidden)),
        };
        Node[] nodes =
        [
            new("conv", new Conv(Window.Square(3)), ["image", "conv.weight"], "a"),
            new("pool", new GlobalAveragePool(), ["a"], "b"),
            new("flatten", new Flatten(), ["b"], "c"),
            new("fc", new Gemm(TransposeB: true), ["c", "fc.weight"], "logits"),
        ];
        return new("wide", new("image", new(-1, 3, 8, 8)), [new("logits", new(-1, classes))], [.. nodes], weights);
    }
}
