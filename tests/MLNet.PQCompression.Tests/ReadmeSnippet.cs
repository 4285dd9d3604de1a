using Microsoft.ML;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>The code that the READMEs and the docs show, so that it is known to compile.</summary>
internal static class ReadmeSnippet
{
    public static void Run()
    {
        // <snippet>
        var mlContext = new MLContext();
        IDataView photos = mlContext.Data.LoadFromEnumerable(Directory.GetFiles("photos").Select(f => new Photo { Path = f }));

        var pipeline = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "Path")
            .Append(mlContext.Transforms.CompressModel("Score", "Image", modelFile: "model.onnx"))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Class", "PredictedLabel"));
        ITransformer model = pipeline.Fit(photos);               // labels are not used
        mlContext.Model.Save(model, photos.Schema, "model.zip");

        // Later, anywhere, with nothing to register:
        ITransformer loaded = mlContext.Model.Load("model.zip", out _);
        var engine = mlContext.Model.CreatePredictionEngine<Photo, PhotoClass>(loaded);
        Console.WriteLine(engine.Predict(new Photo { Path = "cat.jpg" }).Class);
        // </snippet>
    }

    public static IEstimator<ITransformer> Options(MLContext mlContext, IProgress<CompressionProgress> progress, CancellationToken token)
    {
        // <options>
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(mlContext.Transforms.LoadImages("Image", imageFolder: "photos", inputColumnName: "Path"))
            .Append(mlContext.Transforms.CompressModel(new PqCompressionEstimator.Options
            {
                InputColumnName = "Image",
                ModelFile = "resnet18.pth",
                Architecture = "resnet18",
                ClassNames = File.ReadAllLines("classes.txt"),
                Compression = new()
                {
                    Blocks = BlockRegime.Mixed,
                    MaxImages = 1024,
                    Seed = 1,
                    Overrides = [new LayerOverride("fc*", Codewords: 1024)],
                    Distillation = DistillationOptions.AfterOutputAwareOnPhotographs,
                },
                OnBadImage = OnBadImage.Skip,
                Progress = progress,
                CancellationToken = token,
            }))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedClass", "PredictedLabel"));
        // </options>
        return pipeline;
    }

    private sealed class Photo
    {
        public string Path { get; set; } = "";
    }

    private sealed class PhotoClass
    {
        public string Class { get; set; } = "";
    }
}
