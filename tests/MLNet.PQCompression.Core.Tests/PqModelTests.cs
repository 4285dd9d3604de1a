using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.Tests;

/// <summary>The model in one type, where the application has no runtime for foreign operators.</summary>
public sealed class PqModelTests
{
    private static readonly float[] Image = [.. Enumerable.Range(0, 192).Select(i => (i % 11 - 5) / 5f)];

    [Fact]
    public void Without_the_package_the_message_names_it_and_the_operators()
    {
        Assert.Null(ForeignRuntimes.Default);
        using var model = new PqModel(new OnnxFile().Floats("w", [16, 3, 3, 3]).Floats("v", [16, 16, 3, 3]).Node("Conv", "input w", "a").Node("Shrink", "a", "b").Node("Conv", "b v", "y").Read());
        foreach (Action use in new Action[] { () => model.Scores(Image), () => _ = model.Engine, () => model.Compress(new Compression.TestNetworks.Images(4)) })
        {
            string message = Assert.Throws<UnsupportedOperatorException>(use).Message;
            Assert.Contains("(Shrink)", message, StringComparison.Ordinal);
            Assert.Contains(ForeignRuntimes.Package, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void All_outputs_are_given_by_name_and_what_is_wrong_is_said()
    {
        using var model = new PqModel(new OnnxFile(17, -1, 3, -1, -1).Floats("w", [16, 3, 3, 3]).Node("Conv", "input w", "a").Node("Relu", "a", "b").Node("GlobalAveragePool", "a", "c").Read("b", "c"));
        IReadOnlyDictionary<string, MLNet.PQCompression.Inference.Activation> outputs = model.Outputs(Image, new(3, 8, 8));
        Assert.Equal(new(1, 16, 6, 6), outputs["b"].Shape);
        Assert.Equal(new(1, 16, 1, 1), outputs["c"].Shape);
        Assert.Contains("b, c", Assert.Throws<InvalidModelException>(() => model.Scores(Image, new(3, 8, 8))).Message, StringComparison.Ordinal);
        Assert.Contains("give their size", Assert.Throws<InvalidModelException>(() => model.Outputs(Image)).Message, StringComparison.Ordinal);
        Assert.Contains("192 values, not 1", Assert.Throws<ArgumentException>(() => model.Outputs([0], new(3, 8, 8))).Message, StringComparison.Ordinal);
    }
}
