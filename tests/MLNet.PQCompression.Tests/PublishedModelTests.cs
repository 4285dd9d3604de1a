using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using Xunit.Abstractions;

namespace MLNet.PQCompression.Tests;

/// <summary>A network of full size, as its authors compressed it, on photographs.</summary>
[Collection(nameof(Measurements))]
public sealed class PublishedModelTests(ITestOutputHelper output) : IDisposable
{
    private const int Images = 16;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void ResNet18_gives_in_a_pipeline_and_from_its_zip_what_the_session_gives()
    {
        string onnx = _folder.File("resnet18.onnx"), zip = _folder.File("resnet18.zip");
        OnnxWriter.Write(ModelFile.Load(SharedData.Require("kill-the-bits/resnet18_small_blocks.pth")), onnx);
        using ImageSource photographs = ImageSource.Open(SharedData.Require("imagenet/imagenet-500-256.zip")).Take(Images);
        var context = new MLContext(1);
        IDataView data = context.Data.LoadFromEnumerable(Enumerable.Range(0, Images).Select(i => new EncodedRow { Image = photographs.Read(i) }));
        using PqCompressionTransformer model = context.Transforms
            .ScoreCompressedModel(new PqScoringEstimator.Options { InputColumnName = "Image", ModelFile = onnx, ApplySoftmax = false }).Fit(data);
        float[][] scores = [.. model.Transform(data).GetColumn<float[]>("Score")];

        ModelGraph graph = ModelFile.Load(onnx);
        using var session = new InferenceSession(graph);
        var expected = new float[1000];
        int i = 0;
        foreach (SampleBatch image in new ImageSampleSource(photographs, ImagePreprocessing.For(graph)).Read(1))
        {
            session.Run(image.Data.Span, 1, expected);
            ReferenceScores.AssertClose(expected, scores[i++], 1e-3);
        }
        Assert.Equal(Images, i);

        context.Model.Save(model, data.Schema, zip);
        Assert.Equal(scores, new MLContext().Model.Load(zip, out _).Transform(data).GetColumn<float[]>("Score"));
        double overhead = (double)new FileInfo(zip).Length / new FileInfo(onnx).Length - 1;
        output.WriteLine($"ONNX {new FileInfo(onnx).Length:N0} bytes, model zip {new FileInfo(zip).Length:N0}: {overhead:P2} more");
        Assert.InRange(overhead, -0.05, 0.02);
    }
}
