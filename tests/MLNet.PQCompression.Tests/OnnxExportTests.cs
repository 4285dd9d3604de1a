using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>The compressed network in applications without this package: ONNX, scored by ML.NET's own transformer.</summary>
public sealed class OnnxExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ApplyOnnxModel_gives_the_same_logits()
    {
        var context = new MLContext(1);
        IDataView data = context.Data.LoadFromEnumerable(PixelRow.Make(12));
        using PqCompressionTransformer model = context.Transforms.CompressModel(new PqCompressionEstimator.Options
        {
            InputColumnName = "Image", ModelFile = TestNetwork.Graph().Save(_folder), ApplySoftmax = false,
        }).Fit(data);
        string onnx = _folder.File("compressed.onnx");
        model.SaveAsOnnx(onnx);

        var normalised = PixelRow.Make(12);
        foreach (PixelRow row in normalised)
        {
            float[] input = new float[TestNetwork.Length];
            new PixelVectorFormat().Apply(row.Image, model.Preprocessing, input);
            row.Image = input;
        }
        IDataView inputs = context.Data.LoadFromEnumerable(normalised);
        var pipeline = context.Transforms.CopyColumns(model.Model.Input.Name, "Image").Append(context.Transforms.ApplyOnnxModel(model.Model.OutputName, model.Model.Input.Name, onnx));
        var applied = pipeline.Fit(inputs);
        float[][] expected = [.. model.Transform(data).GetColumn<float[]>("Score")];
        float[][] actual = [.. applied.Transform(inputs).GetColumn<float[]>(model.Model.OutputName)];
        for (int i = 0; i < expected.Length; i++)
            ReferenceScores.AssertClose(expected[i], actual[i], 1e-3);

        using var zip = new MemoryStream();
        context.Model.Save(applied, inputs.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        Assert.Equal(actual, loaded.Transform(inputs).GetColumn<float[]>(model.Model.OutputName));
    }
}
