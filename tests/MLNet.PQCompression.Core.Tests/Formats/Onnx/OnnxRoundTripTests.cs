using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

public class OnnxRoundTripTests
{
    private static readonly float[] Input = [.. Enumerable.Range(0, (int)SampleGraphs.EveryOperatorInput.Count).Select(i => MathF.Sin(i * 0.37f))];

    private static readonly int[] Shape = [.. SampleGraphs.EveryOperatorInput.Dimensions];

    public static TheoryData<int> Opsets => [.. Enumerable.Range(OnnxWriteOptions.MinOpset, OnnxWriteOptions.MaxOpset - OnnxWriteOptions.MinOpset + 1)];

    [Theory]
    [MemberData(nameof(Opsets))]
    public void Every_operator_survives_in_every_operator_set(int opset)
    {
        ModelGraph graph = SampleGraphs.EveryOperator();
        float[] expected = Logits.Run(graph, Input, Shape);
        foreach (OnnxWriteOptions options in Forms(opset))
        {
            ModelGraph read = OnnxReader.Read(Write(graph, options), "written");
            Assert.InRange(Logits.Difference(expected, Logits.Run(read, Input, Shape)), 0, 1e-5);
            Assert.Equal("1", read.Metadata["seed"]);
            Assert.Equal(graph.Input, read.Input);
            Assert.Equal(graph.Outputs.AsEnumerable(), read.Outputs.AsEnumerable());
        }
    }

    [Fact]
    public void Quantized_weights_and_layer_names_survive()
    {
        ModelGraph graph = SampleGraphs.EveryOperator();
        ModelGraph read = OnnxReader.Read(Write(graph, new()), "written");
        QuantizedTensor[] weights = [.. graph.Initializers.Values.OfType<QuantizedTensor>()];
        Assert.Equal(3, weights.Length);
        foreach ((string name, Initializer value) in graph.Initializers.Where(i => i.Value is QuantizedTensor))
        {
            (var before, var after) = ((QuantizedTensor)value, Assert.IsType<QuantizedTensor>(read.Initializers[name]));
            Assert.Equal(before.Shape, after.Shape);
            Assert.Equal(before.BlockSize, after.BlockSize);
            Assert.True(before.Codes.SequenceEqual(after.Codes));
            Assert.True(before.Codebook.SequenceEqual(after.Codebook));
        }
        string[] layers = [.. graph.Nodes.Where(n => n.Operator is Conv or Gemm or MatMul or BatchNormalization).Select(n => n.Name)];
        Assert.Subset(read.Nodes.Select(n => n.Name).ToHashSet(), layers.ToHashSet());
    }

    [Fact]
    public void Round_trips_settle()
    {
        byte[] once = Write(SampleGraphs.EveryOperator(), new());
        byte[] twice = Write(OnnxReader.Read(once, "written"), new());
        Assert.Equal(once, Write(SampleGraphs.EveryOperator(), new()));
        Assert.True(twice.Length <= once.Length);
        Assert.Equal(twice, Write(OnnxReader.Read(twice, "written"), new()));
    }

    [Fact]
    public void The_predicted_size_is_the_size_of_the_file()
    {
        ModelGraph graph = SampleGraphs.EveryOperator();
        foreach (OnnxWriteOptions options in Forms(17))
            Assert.Equal(Write(graph, options).Length, OnnxWriter.Size(graph, options));
    }

    [Fact]
    public void Unfolded_statistics_are_the_original_tensors()
    {
        ModelGraph graph = SampleGraphs.EveryOperator();
        ModelGraph read = OnnxReader.Read(Write(graph, new() { KeepBatchNormStatistics = true, Dense = true }), "written");
        Assert.DoesNotContain(read.Initializers.Values, i => i is QuantizedTensor);
        foreach (string name in (string[])["bn2.weight", "bn2.bias", "bn2.running_mean", "bn2.running_var", "grouped.weight"])
            Assert.True(graph.Initializers[name].ToDense().Span.SequenceEqual(read.Initializers[name].ToDense().Span), name);
        Assert.Contains(read.Nodes, n => n.Operator is BatchNormalization { Epsilon: 1e-3f });
    }

    [Theory]
    [InlineData(10)]
    [InlineData(22)]
    public void Operator_sets_outside_the_range_are_refused(int opset) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Write(SampleGraphs.EveryOperator(), new() { Opset = opset }));

    [SkippableFact]
    public void ONNX_Runtime_computes_the_same_in_every_operator_set()
    {
        ModelGraph graph = SampleGraphs.EveryOperator();
        float[] expected = Logits.Run(graph, Input, Shape);
        (ModelGraph, OnnxWriteOptions)[] models =
            [.. Enumerable.Range(OnnxWriteOptions.MinOpset, OnnxWriteOptions.MaxOpset - OnnxWriteOptions.MinOpset + 1).SelectMany(Forms).Select(o => (graph, o))];
        foreach (float[] actual in OnnxRuntime.Run(models, Input, Shape))
            Assert.InRange(Logits.Difference(expected, actual), 0, 1e-5);
    }

    private static IEnumerable<OnnxWriteOptions> Forms(int opset) =>
        [new() { Opset = opset }, new() { Opset = opset, Dense = true, KeepBatchNormStatistics = true }];

    private static byte[] Write(ModelGraph graph, OnnxWriteOptions options)
    {
        var stream = new MemoryStream();
        OnnxWriter.Write(graph, stream, options);
        return stream.ToArray();
    }
}
