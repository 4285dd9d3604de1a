using Microsoft.ML;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>Code that the docs show, so that it is known to compile. The examples of the READMEs are programs; the tests of the packages run them.</summary>
internal static class ReadmeSnippet
{
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
}
