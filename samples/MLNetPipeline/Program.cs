// A folder of images → compress → evaluate → save → load → predict, all in ML.NET.
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLNet.PQCompression;

string data = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10");
string teacher = Path.Combine(data, "teacher.onnx");
string output = Directory.CreateDirectory("output").FullName;
string unlabelledFolder = Extract("unlabelled.zip"), testFolder = Extract("test.zip");
string[] classes = [.. Directory.GetDirectories(testFolder).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

var context = new MLContext(seed: 1);
context.Log += (_, e) =>
{
    if (e.Source.Contains("CompressModel", StringComparison.Ordinal) && e.Kind == ChannelMessageKind.Info)
        Console.WriteLine($"    {e.RawMessage}");
};
IDataView unlabelled = context.Data.LoadFromEnumerable(
    Directory.GetFiles(unlabelledFolder).Order(StringComparer.Ordinal).Select(f => new ImageFile { Path = f }));
IDataView test = context.Data.LoadFromEnumerable(
    classes.SelectMany(c => Directory.GetFiles(Path.Combine(testFolder, c)).Order(StringComparer.Ordinal).Select(f => new ImageFile { Path = f, Class = c })));

// The labels get the classes as their keys; the unlabelled images have none, and compression needs none.
IDataView keys = context.Data.LoadFromEnumerable(classes.Select(c => new ClassName { Name = c }));
var prepare = context.Transforms.Conversion.MapValueToKey("Label", nameof(ImageFile.Class), keyData: keys)
    .Append(context.Transforms.LoadImages("Image", imageFolder: null, nameof(ImageFile.Path)));

Console.WriteLine("Compressing:");
using var compressed = prepare
    .Append(context.Transforms.CompressModel("Score", "Image", teacher, classNames: classes))
    .Append(context.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"))
    .Fit(unlabelled);
using var dense = prepare.Append(context.Transforms.ScoreCompressedModel("Score", "Image", teacher, classes)).Fit(test);

Console.WriteLine("Evaluating on images that compression has not seen:");
Print("teacher", dense.Transform(test));
Print("student", compressed.Transform(test));

string zip = Path.Combine(output, "shapes10.zip"), onnx = Path.Combine(output, "shapes10.pq.onnx");
context.Model.Save(compressed, unlabelled.Schema, zip);
PqCompressionTransformer student = context.Model.FindCompressedModels(compressed).Single();
student.SaveAsOnnx(onnx);
Console.WriteLine($"{new FileInfo(teacher).Length:N0} bytes of ONNX before, {new FileInfo(onnx).Length:N0} after; the model zip has {new FileInfo(zip).Length:N0}.");
Console.WriteLine($"{student.Report!.Layers.Count(l => l.Plan.IsQuantized)} of {student.Report.Layers.Length} layers compressed from {student.Report.Images} images in {student.Report.Seconds:0.0} s.");

// Any application with the package deployed loads the zip like any other; there is nothing to register.
var anywhere = new MLContext();
ITransformer loaded = anywhere.Model.Load(zip, out _);
using var engine = anywhere.Model.CreatePredictionEngine<ImageFile, Prediction>(loaded);
Console.WriteLine("Predicting with the loaded model:");
foreach (string name in classes.Take(3))
{
    string file = Directory.GetFiles(Path.Combine(testFolder, name)).Order(StringComparer.Ordinal).First();
    Prediction prediction = engine.Predict(new() { Path = file });
    Console.WriteLine($"    {name,-10} → {prediction.PredictedClass,-10} {prediction.Score.Max():P1}");
}
float[] before = compressed.Transform(test).GetColumn<float[]>("Score").First(), after = loaded.Transform(test).GetColumn<float[]>("Score").First();
Console.WriteLine($"The loaded model scores {(before.SequenceEqual(after) ? "the same bits" : "differently")}.");

void Print(string name, IDataView scored)
{
    MulticlassClassificationMetrics metrics = context.MulticlassClassification.Evaluate(scored, topKPredictionCount: 2);
    Console.WriteLine($"    {name}: accuracy {metrics.MicroAccuracy:P2}, top 2 {metrics.TopKAccuracy:P2}, log-loss {metrics.LogLoss:0.000}");
}

string Extract(string archive)
{
    string folder = Path.Combine(output, Path.GetFileNameWithoutExtension(archive));
    if (!Directory.Exists(folder))
        ZipFile.ExtractToDirectory(Path.Combine(data, archive), folder);
    return folder;
}

/// <summary>A row of the data: an image file, and its class where that is known.</summary>
internal sealed class ImageFile
{
    public string Path { get; set; } = "";

    public string Class { get; set; } = "";
}

/// <summary>What the model says of a row.</summary>
internal sealed class Prediction
{
    public string PredictedClass { get; set; } = "";

    public float[] Score { get; set; } = [];
}

/// <summary>A row of the label's keys.</summary>
internal sealed class ClassName
{
    public string Name { get; set; } = "";
}
