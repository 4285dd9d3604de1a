using System.Runtime.InteropServices;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

/// <summary>The forms in which exporters write a ConvNet all become the same few operators.</summary>
public class OnnxReaderTests
{
    [Theory]
    [InlineData("SAME_UPPER", 8, 2, 0, 1)]
    [InlineData("SAME_LOWER", 8, 2, 1, 0)]
    [InlineData("SAME_UPPER", 7, 2, 1, 1)]
    [InlineData("VALID", 8, 1, 0, 0)]
    public void Automatic_padding_becomes_explicit(string auto, int size, int stride, int before, int after)
    {
        ModelGraph graph = new OnnxFile(17, -1, 3, size, size).Floats("w", [2, 3, 3, 3])
            .Node("Conv", "input w", "y", ("auto_pad", auto), ("strides", new[] { stride, stride })).Read();
        Assert.Equal(new Conv(new(3, 3, stride, stride, before, before, after, after)), graph.Nodes[0].Operator);
        Assert.Equal(new TensorShape(-1, 2, (size + before + after - 3) / stride + 1, (size + before + after - 3) / stride + 1), graph.Outputs[0].Shape);
    }

    [Fact]
    public void Clip_takes_its_bounds_from_attributes_inputs_or_neither()
    {
        ModelGraph graph = new OnnxFile(10).Floats("zero", [], 0).Floats("six", [], 6)
            .Node("Clip", "input", "a", ("min", -1f), ("max", 1f)).Node("Clip", "a zero six", "b").Node("Clip", "b - six", "c").Node("Clip", "c", "y").Read();
        Assert.Equal(
            [new Clip(-1, 1), new Clip(0, 6), new Clip(float.MinValue, 6), new Clip(float.MinValue, float.MaxValue)], graph.Nodes.Select(n => (Clip)n.Operator));
    }

    [Fact]
    public void The_flatten_idiom_of_tracing_exporters_becomes_a_reshape()
    {
        // x.view(x.size(0), -1)
        ModelGraph graph = new OnnxFile().Scalar("zero", 0).Ints("axis", 0).Ints("rest", -1)
            .Node("Shape", "input", "s").Node("Gather", "s zero", "n", ("axis", 0)).Node("Unsqueeze", "n axis", "n1").Node("Concat", "n1 rest", "t", ("axis", 0))
            .Node("Reshape", "input t", "y").Read();
        Assert.Equal(new[] { 0, -1 }, Assert.IsType<Reshape>(Assert.Single(graph.Nodes).Operator).Shape.AsEnumerable());
        Assert.Equal(new TensorShape(-1, 192), graph.Outputs[0].Shape);
    }

    [Fact]
    public void The_channel_shuffle_of_tracing_exporters_is_folded()
    {
        // x.view(n, 2, c // 2, h, w) with every size taken from the shape
        OnnxFile file = new OnnxFile(17, -1, 6, 8, 8).Ints("zero", 0).Ints("one", 1).Ints("two", 2).Ints("four", 4)
            .Node("Shape", "input", "s").Node("Slice", "s zero one", "n").Node("Slice", "s one two", "c").Node("Slice", "s two four", "hw")
            .Node("Div", "c two", "half").Node("Cast", "half", "half64", ("to", 7)).Node("Concat", "n two half64 hw", "t", ("axis", 0));
        ModelGraph graph = file.Node("Reshape", "input t", "a").Node("Transpose", "a", "b", ("perm", new[] { 0, 2, 1, 3, 4 })).Ints("back", 0, -1, 8, 8).Node("Reshape", "b back", "y").Read();
        Assert.Equal(new[] { 0, 2, 3, 8, 8 }, ((Reshape)graph.Nodes[0].Operator).Shape.AsEnumerable());
        Assert.Equal(new TensorShape(-1, 6, 8, 8), graph.Outputs[0].Shape);
    }

    [Fact]
    public void A_fixed_batch_counts_as_any()
    {
        ModelGraph graph = new OnnxFile(17, 1, 3, 8, 8).Ints("t", 1, -1).Node("Reshape", "input t", "y").Read();
        Assert.Equal(new TensorShape(-1, 3, 8, 8), graph.Input.Shape);
        Assert.Equal(new TensorShape(5, 192), ShapeInference.Infer(graph, new(5, 3, 8, 8))["y"]);
    }

    [Fact]
    public void Squeeze_and_unsqueeze_become_reshapes_for_any_image_size()
    {
        ModelGraph graph = new OnnxFile(17, -1, 3, -1, -1).Ints("spatial", 2, -1).Ints("last", -1)
            .Node("GlobalAveragePool", "input", "a").Node("Squeeze", "a spatial", "b").Node("Unsqueeze", "b spatial", "c").Node("Unsqueeze", "input last", "y").Read("c", "y");
        Assert.Equal(new TensorShape(4, 3, 1, 1), ShapeInference.Infer(graph, new(4, 3, 30, 40))["c"]);
        Assert.Equal(new TensorShape(4, 3, 30, 40, 1), ShapeInference.Infer(graph, new(4, 3, 30, 40))["y"]);
    }

    [Fact]
    public void Negative_axes_are_counted_from_the_front()
    {
        ModelGraph graph = new OnnxFile(18).Ints("axes", -1, -2)
            .Node("ReduceMean", "input axes", "a", ("keepdims", 0)).Node("Concat", "a a", "b", ("axis", -1)).Node("Flatten", "b", "c", ("axis", -1)).Node("Softmax", "c", "y").Read();
        Assert.Equal([2, 3], ((Reduce)graph.Nodes[0].Operator).Axes.AsEnumerable());
        Assert.Equal([new Concat(1), new Flatten(1), new Softmax(1)], graph.Nodes.Skip(1).Select(n => n.Operator));
    }

    [Fact]
    public void Dropout_and_identity_vanish_and_the_output_keeps_its_name()
    {
        ModelGraph graph = new OnnxFile().Floats("w", [2, 3, 1, 1]).Node("Identity", "w", "w2").Node("Identity", "input", "a")
            .Node("Conv", "a w2", "b").Node("Relu", "b", "c").Node("Dropout", "c", "d mask").Node("Identity", "d", "y").Read();
        Assert.Equal(["Conv", "Relu"], graph.Nodes.Select(n => n.Operator.OnnxName));
        Assert.Equal("y", graph.OutputName);
        Assert.Equal(["input", "w"], graph.Nodes[0].Inputs.AsEnumerable());
    }

    [Fact]
    public void Sum_and_split_become_additions_and_slices()
    {
        ModelGraph graph = new OnnxFile(13, -1, 6, 4, 4).Ints("sizes", 2, 4)
            .Node("Sum", "input input input", "a").Node("Split", "a sizes", "b c", ("axis", 1)).Node("Concat", "c b", "y", ("axis", 1)).Read();
        Assert.Equal(["Add", "Add", "Slice", "Slice", "Concat"], graph.Nodes.Select(n => n.Operator.OnnxName));
        Assert.Equal(new SliceRange(1, 2, 6), ((Slice)graph.ProducerOf("c")!.Operator).Ranges[0]);
        Assert.Equal(new TensorShape(-1, 6, 4, 4), graph.Outputs[0].Shape);
    }

    [Fact]
    public void Constants_may_be_nodes_and_initializers_may_be_inputs_too()
    {
        OnnxFile file = new OnnxFile(9).Floats("w", [2, 3, 1, 1])
            .Node("Constant", "", "t", ("value", OnnxFile.Proto("", 7, [2], MemoryMarshal.AsBytes([0L, -1]).ToArray()))).Node("Conv", "input w", "a").Node("Reshape", "a t", "y");
        file.Model.Graph.Input.Add(new ValueInfoProto { Name = "w" });
        Assert.Equal(new TensorShape(-1, 128), file.Read().Outputs[0].Shape);
    }

    [Theory]
    [InlineData(10, StorageType.Float16, new byte[] { 0x00, 0x3e, 0x00, 0xc0 })]
    [InlineData(16, StorageType.BFloat16, new byte[] { 0xc0, 0x3f, 0x00, 0xc0 })]
    [InlineData(11, StorageType.Float64, new byte[] { 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0 })]
    public void Other_real_types_are_remembered(int type, StorageType storage, byte[] data)
    {
        ModelGraph graph = new OnnxFile(13, -1, 2, 1, 1).Tensor("w", type, [1, 2, 1, 1], data).Node("Cast", "w", "w32", ("to", 1)).Node("Conv", "input w32", "y").Read();
        var weight = Assert.IsType<DenseTensor>(graph.Initializers["w"]);
        Assert.Equal([1.5f, -2], weight.Span.ToArray());
        Assert.Equal(storage, weight.Storage);
    }

    [Fact]
    public void Typed_data_fields_are_read()
    {
        OnnxFile file = new OnnxFile(13, -1, 2, 1, 1);
        file.Model.Graph.Initializer.Add(new TensorProto { Name = "w", DataType = 1, Dims = { 1, 2, 1, 1 }, FloatData = { 1.5f, -2 } });
        file.Model.Graph.Initializer.Add(new TensorProto { Name = "half", DataType = 10, Dims = { 1, 1, 1, 1 }, Int32Data = { 0x3e00 } });
        file.Model.Graph.Initializer.Add(new TensorProto { Name = "t", DataType = 7, Dims = { 2 }, Int64Data = { 0, -1 } });
        ModelGraph graph = file.Node("Conv", "input w", "a").Node("Conv", "a half", "b").Node("Reshape", "b t", "y").Read();
        Assert.Equal([1.5f, -2], graph.Initializers["w"].ToDense().ToArray());
        Assert.Equal([1.5f], graph.Initializers["half"].ToDense().ToArray());
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(4, true)]
    [InlineData(6, false)]
    public void A_codebook_lookup_stays_compressed_however_it_is_cast(int codeType, bool castBefore)
    {
        byte[] codes = codeType switch { 2 => [0, 1, 2, 1], 4 => [0, 0, 1, 0, 2, 0, 1, 0], _ => [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0] };
        byte[] codebook = MemoryMarshal.AsBytes(OnnxFile.Ramp([3, 9]).Select(v => (Half)v).ToArray().AsSpan()).ToArray();
        OnnxFile file = new OnnxFile(13, -1, 2, 8, 8).Tensor("conv.codebook", 10, [3, 9], codebook).Tensor("conv.codes", codeType, [2, 2], codes).Ints("t", 2, 2, 3, 3);
        if (codeType != 6)
            file.Node("Cast", "conv.codes", "i", ("to", 7));
        string indices = codeType == 6 ? "conv.codes" : "i";
        if (castBefore)
            file.Node("Cast", "conv.codebook", "c", ("to", 1)).Node("Gather", $"c {indices}", "g").Node("Reshape", "g t", "w");
        else
            file.Node("Gather", $"conv.codebook {indices}", "g").Node("Reshape", "g t", "r").Node("Cast", "r", "w", ("to", 1));
        ModelGraph graph = file.Node("Conv", "input w", "y").Read();
        var weight = Assert.IsType<QuantizedTensor>(graph.Initializers["conv.weight"]);
        Assert.Equal("conv", graph.Nodes[0].Name);
        Assert.Equal(new TensorShape(2, 2, 3, 3), weight.Shape);
        Assert.Equal((9, 3), (weight.BlockSize, weight.Codewords));
        Assert.Equal(new ushort[] { 0, 1, 2, 1 }, weight.Codes.ToArray());
    }

    [Fact]
    public void Operators_without_a_kernel_become_foreign_nodes()
    {
        OnnxFile file = new OnnxFile().Node("Scatter9", "input", "a b").Node("NonZero", "a", "c").Node("Conv", "b w", "d").Node("Relu", "d", "y").Floats("w", [2, 3, 3, 3]);
        ModelGraph graph = file.Read();
        Assert.Equal(["Scatter9", "Conv", "Relu"], graph.Nodes.Select(n => n.Operator.OnnxName));
        Node foreign = graph.ForeignNodes.Single();
        Assert.Equal("a b", string.Join(' ', foreign.Outputs));
        Assert.Equal("input", Assert.Single(foreign.Inputs));
        Assert.Same(foreign, graph.ProducerOf("b"));
    }

    [Fact]
    public void Unknown_attributes_modes_and_domains_make_a_node_foreign()
    {
        static string Reason(OnnxFile file) => ((Foreign)file.Read().ForeignNodes.Single().Operator).Reason;
        Assert.Contains("hidden", Reason(new OnnxFile().Node("Relu", "input", "y", ("hidden", 1))));
        Assert.Contains("mirror", Reason(new OnnxFile().Ints("p", 0, 0, 1, 1, 0, 0, 1, 1).Node("Pad", "input p", "y", ("mode", "mirror"))));
        OnnxFile file = new OnnxFile().Node("FusedConv", "input", "y");
        file.Model.Graph.Node[0].Domain = "com.microsoft";
        Assert.Contains("com.microsoft", Reason(file));
        Assert.Equal("com.microsoft.FusedConv", file.Read().ForeignNodes.Single().Operator.OnnxName);
    }

    [Fact]
    public void What_foreign_nodes_make_of_constants_needs_no_node()
    {
        ModelGraph graph = new OnnxFile().Floats("c", [1]).Node("Unheard", "c", "d").Node("Add", "input d", "e").Node("Relu", "e", "y").Read();
        Assert.Equal(["Add", "Relu"], graph.Nodes.Select(n => n.Operator.OnnxName));
        Assert.Equal("input", Assert.Single(graph.Nodes[0].Inputs));
        Assert.IsType<Foreign>(graph.Nodes[0].Operator);
    }

    [Fact]
    public void External_data_are_read_from_the_models_folder_only()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("pq-external-");
        try
        {
            string inside = Path.Combine(folder.FullName, "model");
            Directory.CreateDirectory(inside);
            foreach (string place in (string[])[inside, folder.FullName])
                File.WriteAllBytes(Path.Combine(place, "weights.data"), [9, 9, 9, 9, .. MemoryMarshal.AsBytes([1.5f, -2f])]);
            File.CreateSymbolicLink(Path.Combine(inside, "link.data"), Path.Combine(folder.FullName, "weights.data"));
            string path = Path.Combine(inside, "m.onnx");
            ModelGraph Read(string location, string offset = "4", string length = "8")
            {
                OnnxFile file = new OnnxFile(13, -1, 2, 1, 1).Node("Conv", "input w", "y");
                file.Model.Graph.Initializer.Add(new TensorProto
                {
                    Name = "w", DataType = 1, Dims = { 1, 2, 1, 1 }, DataLocation = 1,
                    ExternalData =
                    {
                        new StringStringEntryProto { Key = "location", Value = location }, new StringStringEntryProto { Key = "offset", Value = offset },
                        new StringStringEntryProto { Key = "length", Value = length },
                    },
                });
                File.WriteAllBytes(path, file.Bytes("y"));
                return OnnxReader.Read(path);
            }
            Assert.Equal([1.5f, -2], Read("weights.data").Initializers["w"].ToDense().ToArray());
            foreach (string location in (string[])["../weights.data", Path.Combine(folder.FullName, "weights.data"), "sub/../../weights.data", "link.data"])
                Assert.Contains("outside the model's folder", Assert.Throws<InvalidModelException>(() => Read(location)).Message);
            foreach ((string offset, string length) in (ReadOnlySpan<(string, string)>)[("8", "8"), ("-4", "8"), ("4", "4"), ("9223372036854775807", "8"), ("x", "8")])
                Assert.Throws<InvalidModelException>(() => Read("weights.data", offset, length));
            Assert.Throws<InvalidModelException>(() => Read("absent.data"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
