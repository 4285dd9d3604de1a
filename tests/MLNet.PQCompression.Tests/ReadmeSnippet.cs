using Microsoft.ML;

namespace MLNet.PQCompression.Tests;

/// <summary>The code that the READMEs show, so that it is known to compile.</summary>
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

    private sealed class Photo
    {
        public string Path { get; set; } = "";
    }

    private sealed class PhotoClass
    {
        public string Class { get; set; } = "";
    }
}
