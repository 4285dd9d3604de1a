using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>The model in one type chooses what scores by itself.</summary>
public sealed class PqModelTests
{
    private static readonly float[] Image = [.. Enumerable.Range(0, 192).Select(i => (i % 11 - 5) / 5f)];

    [Fact]
    public void Foreign_networks_are_compressed_and_scored_without_being_told_how()
    {
        using var model = new PqModel(Network("Shrink").Read());
        Assert.StartsWith("ONNX Runtime", model.Engine, StringComparison.Ordinal);
        Assert.Contains("no kernels here for Shrink", model.Engine, StringComparison.Ordinal);
        using PqModel student = model.Compress(new TestNetworks.Images(32), new() { Codewords = 8, Threads = 1 });
        Assert.Contains(student.Graph.Initializers.Values, i => i is QuantizedTensor);
        Assert.Equal(Image.Length / 3 * 16, student.Scores(Image).Length);
        OutputFigures y = Assert.Single(student.Evaluate(new TestNetworks.Images(8, seed: 3), teacher: model).Outputs);
        Assert.InRange(y.Cosine!.Value, 0.8, 1);
        Assert.Contains("teacher", Assert.Throws<InvalidModelException>(() => student.Evaluate(new TestNetworks.Images(8))).Message, StringComparison.Ordinal);
        using var own = new PqModel(Network("Relu").Read());
        Assert.Contains("straight from the codes", own.Engine, StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifier_with_a_foreign_end_is_scored_here_up_to_its_scores()
    {
        OnnxFile file = new OnnxFile(17).Floats("w", [16, 3, 3, 3]).Floats("w2", [16, 16, 3, 3], [.. Noise(16 * 16 * 9)]).Floats("fc", [16, 5])
            .Node("Conv", "input w", "a0").Node("Conv", "a0 w2", "a").Node("GlobalAveragePool", "a", "b").Node("Flatten", "b", "c").Node("MatMul", "c fc", "d").Node("Softmax", "d", "p").Node("ArgMax", "p", "best", ("axis", 1));
        file.Model.Graph.Output.Add(new Formats.Onnx.Schema.ValueInfoProto { Name = "best", Type = new() { TensorType = new() { ElemType = 7 } } });
        using var model = new PqModel(file.Read("p"));
        Assert.Equal(5, model.Scores(Image).Length);
        Assert.Equal(1, model.Predict(Image).Sum(p => p.Probability), 6);
        IReadOnlyDictionary<string, Inference.Activation> all = model.Outputs(Image);
        Assert.Equal(model.Predict(Image, 1)[0].Class, Assert.IsAssignableFrom<ForeignValue>(all["best"]).ToIntegers()!.Single());
        Assert.Equal(3, model.Evaluate(new TestNetworks.Images(3)).Images);
        using PqModel student = model.Compress(new TestNetworks.Images(32), new() { Codewords = 8, Threads = 1 });
        Assert.Equal(8, student.Evaluate(new TestNetworks.Images(8), teacher: model).Images);
        Assert.Contains(student.Graph.Initializers.Values, i => i is QuantizedTensor);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Any_number_of_images_is_scored_by_a_document_that_takes_a_fixed_number(int batch)
    {
        ModelGraph open = Network("Shrink").Read(), fixedSize = Network("Shrink", batch).Read();
        using IScoringSession any = ScoringSessions.Create(open), some = ScoringSessions.Create(fixedSize);
        for (int count = 1; count <= 5; count++)
        {
            var images = new Inference.Activation(new(count, 3, 8, 8), Enumerable.Range(0, count * 192).Select(i => (i * 7 % 13 - 6) / 6f).ToArray());
            Inference.Activation expected = any.Run(images)["y"], actual = some.Run(images)["y"];
            Assert.Equal(expected.Shape, actual.Shape);
            for (int i = 0; i < expected.Span.Length; i++)
                Assert.Equal(expected.Span[i], actual.Span[i], 1e-5f);
        }
    }

    private static OnnxFile Network(string function, int batch = -1) => new OnnxFile(17, batch, 3, 8, 8).Floats("w1", [16, 3, 3, 3]).Floats("w2", [16, 16, 3, 3], [.. Noise(16 * 16 * 9)])
        .Node("Conv", "input w1", "a", ("pads", new[] { 1, 1, 1, 1 })).Node(function, "a", "b").Node("Conv", "b w2", "y", ("pads", new[] { 1, 1, 1, 1 }));

    private static IEnumerable<float> Noise(int count)
    {
        var random = new Random(5);
        return Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f);
    }
}
