// A pretrained ResNet-18 makes features, a trainer of ML.NET learns classes from them: with the network as it is (64 MB), and compressed from the training images.
// Arguments, both optional: a folder with a folder of images for each class, and a file with the network compressed before.
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;
using MLNet.PQCompression;

const int ImagesOfAClass = 90, CompressedFrom = 128;

string network = Path.Combine(AppContext.BaseDirectory, "DnnImageModels", "ResNet18Onnx", "ResNet18.onnx");
string output = Directory.CreateDirectory("output").FullName;
string photos = args is [var folder, ..] ? folder : Extract(Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10", "test.zip"));

var context = new MLContext(seed: 1);
context.Log += (_, e) =>
{
    if (e.Source.Contains("CompressModel", StringComparison.Ordinal) && e.Kind != ChannelMessageKind.Trace)
        Console.WriteLine($"    {e.RawMessage}");
};

// Every third image of a class is tested on, the others are learnt from.
ImageFile[] files = [.. Directory.GetDirectories(photos).Order(StringComparer.Ordinal).SelectMany(c =>
    Directory.GetFiles(c).Order(StringComparer.Ordinal)
        .Take(args.Length > 0 ? int.MaxValue : ImagesOfAClass).Select((f, i) => new ImageFile { Path = f, Class = Path.GetFileName(c), IsTest = i % 3 == 2 }))];
IDataView train = context.Data.LoadFromEnumerable(files.Where(f => !f.IsTest)), test = context.Data.LoadFromEnumerable(files.Where(f => f.IsTest));

Console.WriteLine("Learning from the features of the network as it is:");
using var dense = WithTrainer(context.Transforms.ScoreCompressedModel("Features", "Path", network, task: ImageTask.Featurizer)).Fit(train);
Print(dense);

Console.WriteLine("Learning from the features of the compressed network:");
using var compressed = (args is [_, var student]
    ? WithTrainer(context.Transforms.ScoreCompressedModel("Features", "Path", student, task: ImageTask.Featurizer))
    : WithTrainer(context.Transforms.CompressModel(new PqCompressionEstimator.Options
    {
        Task = ImageTask.Featurizer,
        InputColumnName = "Path",
        ModelFile = network,
        Compression = new() { MaxImages = CompressedFrom, Views = 1 },
    }))).Fit(train);
Print(compressed);

string zip = Path.Combine(output, "transfer.zip"), denseZip = Path.Combine(output, "transfer-dense.zip");
context.Model.Save(dense, train.Schema, denseZip);
context.Model.Save(compressed, train.Schema, zip);
Console.WriteLine($"The zip with features and classifier: {new FileInfo(denseZip).Length:N0} bytes before, {new FileInfo(zip).Length:N0} after.");

// Any application with the package deployed loads the zip; there is nothing to register.
ITransformer loaded = new MLContext().Model.Load(zip, out _);
Console.WriteLine("The loaded model:");
Print(loaded);

// The cache keeps the features: without it each of the trainer's passes would score every image again.
IEstimator<TransformerChain<KeyToValueMappingTransformer>> WithTrainer<T>(IEstimator<T> features) where T : class, ITransformer =>
    context.Transforms.Conversion.MapValueToKey("Label", nameof(ImageFile.Class))
        .Append(features)
        .AppendCacheCheckpoint(context)
        .Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy())
        .Append(context.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"));

void Print(ITransformer model)
{
    MulticlassClassificationMetrics metrics = context.MulticlassClassification.Evaluate(model.Transform(test));
    Console.WriteLine($"    accuracy {metrics.MicroAccuracy:P1} on {files.Count(f => f.IsTest)} images, log-loss {metrics.LogLoss:0.000}");
}

string Extract(string archive)
{
    string folder = Path.Combine(output, "test");
    if (!Directory.Exists(folder))
        ZipFile.ExtractToDirectory(archive, folder);
    return folder;
}

/// <summary>A row of the data: an image file, its class, and whether it is tested on.</summary>
internal sealed class ImageFile
{
    public string Path { get; set; } = "";

    public string Class { get; set; } = "";

    public bool IsTest { get; set; }
}
