using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Formats.Onnx;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Weights wherever they stand: each kind of layer is compressed, and its file gives in ONNX Runtime and here what the student gives.</summary>
public sealed class LayerKindsTests
{
    private static readonly (string, object)[] Pads = [("pads", new[] { 1, 1, 1, 1 })];

    [Fact]
    public void A_weight_of_two_nodes_is_written_once()
    {
        (ModelGraph student, byte[] file) = Compress(TwinNetwork.File(16), "w2");
        Assert.Equal(1, Count(file, "w2.codes"));
        Assert.IsType<QuantizedTensor>(student.Initializers["w2"]);
    }

    [Theory]
    [InlineData(2, 2, 0)]
    [InlineData(3, 2, 1)]
    [InlineData(4, 2, 1)]
    public void A_transposed_convolution(int kernel, int stride, int pad) => Compress(
        new OnnxFile().Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("up.weight", [16, 24, kernel, kernel], Noise(384 * kernel * kernel)).Floats("b", [24], Noise(24)).Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r")
            .Node("ConvTranspose", "r up.weight b", "t", ("strides", new[] { stride, stride }), ("pads", new[] { pad, pad, pad, pad })).Node("Relu", "t", "y"), "up.weight");

    [Fact]
    public void A_transposed_convolution_without_a_bias_gets_one()
    {
        (ModelGraph student, _) = Compress(new OnnxFile().Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("up.weight", [16, 24, 2, 2], Noise(1536)).Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r")
            .Node("ConvTranspose", "r up.weight", "y", ("strides", new[] { 2, 2 })), "up.weight");
        Assert.Contains(student.Initializers["up.bias"].ToDense().ToArray(), v => v != 0);
    }

    [Fact]
    public void A_product_of_stacks() => Compress(Tokens().Node("MatMul", "u fc.weight", "y"), "fc.weight");

    [Fact]
    public void A_product_of_stacks_whose_bias_is_added_behind_it()
    {
        (ModelGraph student, _) = Compress(Tokens().Floats("fc.bias", [32], Noise(32)).Node("MatMul", "u fc.weight", "v").Node("Add", "v fc.bias", "y"), "fc.weight");
        Assert.DoesNotContain("fc.bias.2", student.Initializers.Keys);
    }

    [Fact]
    public void A_product_of_stacks_of_float16() => Compress(
        Tokens().Tensor("h", 10, [16, 32], Half(512)).Node("Cast", "u", "u16", ("to", 10)).Node("MatMul", "u16 h", "v").Node("Cast", "v", "y", ("to", 1)), "h", 2e-2f);

    [Fact]
    public void Weights_behind_constants_identities_casts_and_transposes() => Compress(
        Tokens().Tensor("raw", 10, [32, 16], Half(512)).Node("Identity", "raw", "i").Node("Cast", "i", "c", ("to", 1)).Node("Transpose", "c", "fc", ("perm", new[] { 1, 0 })).Node("MatMul", "u fc", "y"), null);

    [Fact]
    public void A_bias_of_several_layers_becomes_each_one_s_own()
    {
        (ModelGraph student, _) = Compress(new OnnxFile().Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("w2", [16, 16, 3, 3], Noise(2304)).Floats("w3", [16, 16, 3, 3], Noise(2304)).Floats("b", [16], Noise(16))
            .Node("Conv", "input w1 b", "a", Pads).Node("Relu", "a", "r").Node("Identity", "b", "bb").Node("Conv", "r w2 b", "c", Pads).Node("Relu", "c", "s").Node("Conv", "s w3 bb", "y", Pads), "w2");
        Assert.NotEqual(student.Initializers["w2.bias"].ToDense().ToArray(), student.Initializers["w3.bias"].ToDense().ToArray());
    }

    [Fact]
    public void A_convolution_with_a_bias_before_its_batch_normalization() => Compress(
        new OnnxFile().Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("w2", [16, 16, 3, 3], Noise(2304)).Floats("b", [16], [.. Noise(16).Select(v => 20 * v)]).Floats("gamma", [16], [.. Noise(16).Select(v => v + 1)])
            .Floats("beta", [16], Noise(16)).Floats("mean", [16], [.. Noise(16).Select(v => 20 * v)]).Floats("var", [16], [.. Noise(16).Select(v => v + 1)])
            .Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node("Conv", "r w2 b", "c", Pads).Node("BatchNormalization", "c gamma beta mean var", "y"), "w2");

    /// <summary>Old sets have no remainder and no products of integer matrices, and their codes are put together by other nodes.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void Codes_of_more_than_eight_bits_take_no_more_in_any_operator_set(int opset)
    {
        (ModelGraph student, byte[] file) = Compress(
            new OnnxFile(opset).Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("w2", [64, 16, 3, 3], Noise(9216)).Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node("Conv", "r w2", "y", Pads),
            "w2", layer: new("w2", BlockSize: 3, Codewords: 512));
        Assert.Equal(512, Assert.IsType<QuantizedTensor>(student.Initializers["w2"]).Codewords);
        Assert.Equal((1, 1), (Count(file, "w2.codes"), Count(file, "w2.codes.high")));
    }

    /// <summary>A convolution's outputs as a row of 16 channels for each position.</summary>
    private static OnnxFile Tokens() => new OnnxFile().Floats("w1", [16, 3, 3, 3], Noise(432)).Floats("w2", [16, 16, 3, 3], Noise(2304)).Floats("fc.weight", [16, 32], Noise(512)).Ints("rows", 0, 16, 64)
        .Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node("Conv", "r w2", "b", Pads).Node("Reshape", "b rows", "t").Node("Transpose", "t", "u", ("perm", new[] { 0, 2, 1 }));

    private static (ModelGraph Student, byte[] File) Compress(OnnxFile document, string? weight, float tolerance = 1e-3f, LayerOverride? layer = null)
    {
        ModelGraph teacher = document.Read();
        CompressionResult result = ModelCompressor.Compress(teacher, new TestNetworks.Images(64), new() { Threads = 1, ForeignRuntime = new OnnxRuntimeEngine(), Overrides = layer is null ? [] : [layer] });
        LayerReport quantized = weight is null ? result.Report.Layers[^1] : result.Report.Layers.Single(l => l.Plan.Weight == weight);
        Assert.True(quantized.Plan.IsQuantized, quantized.Plan.Reason);
        using var stream = new MemoryStream();
        OnnxWriter.Write(result.Student, stream);
        ModelGraph read = OnnxReader.Read(stream.ToArray(), "written");
        Assert.Equal(result.Student.Initializers.Values.Count(i => i is QuantizedTensor), read.Initializers.Values.Count(i => i is QuantizedTensor));
        Assert.Equal(result.Report.PaperBytes, PaperAccounting.Of(result.Student).Total);
        // The student itself, its file in ONNX Runtime, and its file read back and compiled.
        var image = new Activation(new(2, 3, 8, 8), Noise(384));
        using var there = new OnnxRuntimeSession(read, 1);
        float[] ort = there.Run(image)["y"].Span.ToArray();
        float scale = ort.Max(MathF.Abs);
        foreach (ModelGraph graph in new[] { result.Student, read })
            if (!graph.ForeignNodes.Any())
            {
                using var here = new InferenceSession(graph, new() { Threads = 1, InputShape = new(3, 8, 8) });
                Assert.All(((IScoringSession)here).Run(image)["y"].Span.ToArray().Zip(ort), p => Assert.InRange(MathF.Abs(p.First - p.Second), 0, tolerance * scale));
            }
        OutputFigures figures = Assert.Single(OutputAgreement.Compare(teacher, result.Student, new TestNetworks.Images(40, seed: 9), runtime: new OnnxRuntimeEngine()));
        Assert.InRange(figures.RelativeError!.Value, 0, 0.25);
        return (result.Student, stream.ToArray());
    }

    private static int Count(byte[] file, string name) => Formats.Onnx.Schema.ModelProto.Parser.ParseFrom(file).Graph.Initializer.Count(t => t.Name == name);

    private static byte[] Half(int count) => System.Runtime.InteropServices.MemoryMarshal.AsBytes<Half>(Array.ConvertAll(Noise(count), v => (Half)v)).ToArray();

    private static float[] Noise(int count) => OnnxFile.Noise(count, count);
}
