using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>A weight that several nodes read is one layer.</summary>
public sealed class SharedWeightsTests
{
    [Fact]
    public void Readers_stand_together_and_make_one_layer()
    {
        ModelGraph teacher = TwinNetwork.File(16).Read();
        ModelGraph ordered = LayerForms.Normalize(teacher);
        Assert.Equal(teacher.Nodes.Select(n => n.Name).Order(), ordered.Nodes.Select(n => n.Name).Order());
        LayerPlan layer = Assert.Single(CompressionPlan.Create(ordered, new()).Layers, l => l.Weight == "w2");
        Assert.Equal(["b1", "b2"], layer.Readers.AsEnumerable());
        Assert.Equal(1, ordered.Nodes.Select(n => n.Name).ToList().IndexOf("b2") - ordered.Nodes.Select(n => n.Name).ToList().IndexOf("b1"));
        Assert.Contains("one weight of 2 nodes", layer.Reason);
    }

    [Fact]
    public void A_graph_without_shared_weights_keeps_its_order()
    {
        ModelGraph teacher = TestNetworks.Residual();
        Assert.Equal(teacher.Nodes.Select(n => n.Name), LayerForms.Normalize(teacher).Nodes.Select(n => n.Name));
    }

    [Fact]
    public void The_statistics_are_those_of_all_readers()
    {
        // The second branch sees other channels than the first. A codebook made from the first alone does not know them.
        ModelGraph teacher = TwinNetwork.File(16).Read();
        CompressionResult both = Compress(teacher);
        Assert.InRange(Error(teacher, both.Student), 0, 0.2);
        Assert.IsType<QuantizedTensor>(both.Student.Initializers["w2"]);
        Assert.Equal(PaperAccounting.Of(both.Student).Total, both.Report.PaperBytes);
        Assert.Single(both.Report.Layers, l => l.Plan.Weight == "w2");
    }

    [Fact]
    public void A_reader_of_what_another_makes_follows_and_is_told()
    {
        ModelGraph teacher = new OnnxFile().Floats("w1", [16, 3, 3, 3], OnnxFile.Noise(432, 1)).Floats("w2", [16, 16, 3, 3], OnnxFile.Noise(2304, 2))
            .Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node("Conv", "r w2", "b", Pads).Node("Relu", "b", "s").Node("Conv", "s w2", "y", Pads).Read();
        LayerPlan layer = CompressionPlan.Create(LayerForms.Normalize(teacher), new()).Layers.Single(l => l.Weight == "w2");
        Assert.Equal(["b"], layer.Readers.AsEnumerable());
        Assert.Contains("1 more", layer.Reason);
        CompressionResult result = Compress(teacher);
        Assert.InRange(Error(teacher, result.Student), 0, 0.4);
    }

    [Fact]
    public void A_weight_that_something_else_reads_too_stays()
    {
        OnnxFile File() => new OnnxFile().Floats("w1", [16, 3, 3, 3], OnnxFile.Noise(432, 1)).Floats("w2", [16, 16, 1, 1], OnnxFile.Noise(256, 2)).Node("Conv", "input w1", "a", Pads).Node("Conv", "a w2", "b");
        Assert.True(Layer(File().Node("Relu", "b", "y")).IsQuantized);
        LayerPlan shared = Layer(File().Node("ReduceMean", "b", "m", ("axes", new[] { 0, 1, 2, 3 })).Node("Mul", "m w2", "y"));
        Assert.False(shared.IsQuantized);
        Assert.Contains("reads its weight too", shared.Reason);

        LayerPlan Layer(OnnxFile file) => CompressionPlan.Create(file.Read(), new()).Layers.Single(l => l.Weight == "w2");
    }

    private static readonly (string, object)[] Pads = [("pads", new[] { 1, 1, 1, 1 })];

    private static CompressionResult Compress(ModelGraph teacher) => ModelCompressor.Compress(teacher, new TestNetworks.Images(64), new() { Threads = 1 });

    /// <summary>The squared error of the only output, relative to its square.</summary>
    internal static double Error(ModelGraph teacher, ModelGraph student)
    {
        OutputFigures figures = Assert.Single(OutputAgreement.Compare(teacher, student, new TestNetworks.Images(40, seed: 9)));
        return figures.RelativeError!.Value;
    }
}
