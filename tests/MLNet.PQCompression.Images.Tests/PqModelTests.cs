using System.Globalization;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;
using SkiaSharp;

namespace MLNet.PQCompression.Images.Tests;

/// <summary>The model in one type, over files and folders of pictures.</summary>
public sealed class PqModelTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pq-model-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Compresses_saves_and_loads_with_names_preprocessing_and_provenance()
    {
        using PqModel teacher = Teacher().WithClassNames(["dark", "red", "green"]).WithPreprocessing(Preprocessing());
        using PqModel student = teacher.Compress(Pictures(24), new() { Codewords = 8, Threads = 1 });
        Assert.True(student.Report!.Ratio > 1);
        Assert.Null(teacher.Report);
        student.Save(Path.Combine(_folder.FullName, "student.onnx"));
        using PqModel loaded = PqModel.Load(Path.Combine(_folder.FullName, "student.onnx"));
        Assert.Equal(["dark", "red", "green"], loaded.ClassNames);
        Assert.Equal(Preprocessing(), loaded.Preprocessing.Preprocessing);
        Assert.NotNull(Provenance.FromMetadata(loaded.Graph.Metadata));
        Assert.Contains(loaded.Graph.Initializers.Values, i => i is QuantizedTensor);
        Assert.Equal(student.Predict(Picture(3)), loaded.Predict(Picture(3)));
    }

    [Fact]
    public void A_file_its_bytes_and_its_pixels_are_predicted_alike()
    {
        using PqModel model = Teacher().WithPreprocessing(Preprocessing());
        string file = Path.Combine(_folder.FullName, "one.png");
        File.WriteAllBytes(file, Picture(5));
        var pixels = new float[Preprocessing().Length];
        Preprocessing().Apply(ImageDecoder.Decode(Picture(5)), pixels);
        IReadOnlyList<ClassPrediction> expected = model.Predict(pixels, size: new(3, 8, 8));
        Assert.Equal(3, expected.Count);
        Assert.Equal(1, expected.Sum(p => p.Probability), 6);
        Assert.Equal("012", string.Concat(expected.Select(p => p.Name).Order(StringComparer.Ordinal)));
        Assert.Equal(expected, model.Predict(Picture(5)));
        Assert.Equal(expected, model.Predict(file));
        Assert.Equal(expected[0], Assert.Single(model.Predict(file, top: 1)));
    }

    [Fact]
    public void Evaluation_numbers_class_folders_as_the_model_names_them()
    {
        using PqModel model = Teacher().WithClassNames(["z", "m", "a"]).WithPreprocessing(Preprocessing());
        string labelled = Path.Combine(_folder.FullName, "labelled");
        for (int i = 0; i < 6; i++)
        {
            string name = model.Predict(Picture(i), top: 1)[0].Name; // the model's own answer is the label, so all are right
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(labelled, name)).FullName, $"{i}.png"), Picture(i));
        }
        foreach (string name in model.ClassNames) // folders of one class name none
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(labelled, name)).FullName, "more.png"), Picture(9));
        EvaluationReport report = model.Evaluate(labelled, teacher: model);
        Assert.Equal((9, 9, 7, 9), (report.Images, report.Labelled, report.Top1!.Value, report.Agreement!.Value));
    }

    [Fact]
    public void What_is_wrong_is_said_by_name()
    {
        using PqModel model = Teacher().WithClassNames(["one", "two"]).WithPreprocessing(Preprocessing());
        Assert.Contains("2 classes", Assert.Throws<InvalidModelException>(() => model.Predict(Picture(1))).Message, StringComparison.Ordinal);
        string broken = Path.Combine(_folder.FullName, "broken.png");
        File.WriteAllText(broken, "no picture");
        Assert.Contains("broken.png", Assert.Throws<InvalidImageException>(() => model.Predict(broken)).Message, StringComparison.Ordinal);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Scores(new float[3 * 8 * 8]));
    }

    private static ImagePreprocessing Preprocessing() => new() { Width = 8, Height = 8, Mean = [0.4f, 0.5f, 0.6f], Std = [0.2f, 0.2f, 0.3f] };

    /// <summary>A convolution, ReLU, the mean over pixels and a linear layer of three classes; H and W stay open.</summary>
    private static PqModel Teacher()
    {
        var random = new Random(7);
        DenseTensor Weight(params int[] shape) => new(new TensorShape(shape), Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)random.NextDouble() - 0.5f).ToArray());
        return new(new ModelGraph("tiny", new("image", new(-1, 3, -1, -1)), [new("logits", new(-1, 3))],
            [
                new("conv", new Conv(Window.Square(3, pad: 1)), ["image", "conv.weight"], "a"),
                new("relu", new Unary(UnaryFunction.Relu), ["a"], "b"),
                new("pool", new GlobalAveragePool(), ["b"], "c"),
                new("flat", new Flatten(1), ["c"], "d"),
                new("fc", new Gemm(TransposeB: true), ["d", "fc.weight"], "logits"),
            ],
            new Dictionary<string, Initializer> { ["conv.weight"] = Weight(32, 3, 3, 3), ["fc.weight"] = Weight(3, 32) }));
    }

    private string Pictures(int count)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, "pictures")).FullName;
        for (int i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i:00}.png")), Picture(i));
        return folder;
    }

    private static byte[] Picture(int seed)
    {
        var random = new Random(seed);
        using var bitmap = new SKBitmap(8, 8, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int i = 0; i < 64; i++)
            bitmap.SetPixel(i % 8, i / 8, new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
