using System.Collections.Immutable;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Formats.Onnx;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Models of several inputs: one is the image, the others are constants where the model runs here, and stay inputs of the file.</summary>
public sealed class SeveralInputsTests
{
    private static readonly (string, object)[] Pads = [("pads", new[] { 1, 1, 1, 1 })];

    [Fact]
    public void Scales_and_sizes_are_known_by_their_names()
    {
        ModelGraph graph = OnnxReader.Read(File(), "test");
        Assert.Equal("input", graph.Input.Name);
        using IScoringSession session = new OnnxRuntimeEngine().CreateSession(graph, 1);
        Activation image = Image();
        float[] plain = session.Run(image)["y"].Span.ToArray();
        using IScoringSession doubled = new OnnxRuntimeEngine().CreateSession(OnnxReader.Read(File(), "test", inputs: new() { Values = Values("scale_factor", 2) }), 1);
        Assert.All(plain.Zip(doubled.Run(image)["y"].Span.ToArray()), p => Assert.Equal(2 * p.First, p.Second, 1e-4f));
    }

    [Fact]
    public void The_compressed_file_has_all_inputs()
    {
        ModelGraph teacher = OnnxReader.Read(File(foreign: true), "test");
        ModelGraph student = ModelCompressor.Compress(teacher, new TestNetworks.Images(32), new() { Threads = 1, ForeignRuntime = new OnnxRuntimeEngine() }).Student;
        Assert.Contains(student.Initializers.Values, i => i is QuantizedTensor);
        using var stream = new MemoryStream();
        OnnxWriter.Write(student, stream);
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(stream.ToArray());
        Assert.Equal(["input", "scale_factor", "im_shape"], session.InputNames);
    }

    [Fact]
    public void What_no_name_tells_is_asked_for()
    {
        var e = Assert.Throws<InvalidModelException>(() => OnnxReader.Read(File(other: "threshold"), "test"));
        Assert.Contains("--input-value threshold", e.Message);
        OnnxReader.Read(File(other: "threshold"), "test", inputs: new() { Values = Values("threshold", 1) });
        Assert.Contains("takes 2 values, not 3", Assert.Throws<InvalidModelException>(() => OnnxReader.Read(File(other: "threshold"), "test", inputs: new() { Values = Values("threshold", 1, 2, 3) })).Message);
    }

    [Fact]
    public void The_image_can_be_named()
    {
        byte[] two = File(other: "mask", dims: [1, 1, 8, 8]);
        Assert.Contains("--input", Assert.Throws<InvalidModelException>(() => OnnxReader.Read(two, "test")).Message);
        Assert.Equal("input", OnnxReader.Read(two, "test", inputs: new("input") { Values = Values("mask", 1) }).Input.Name);
        Assert.Contains("none is called 'none'", Assert.Throws<InvalidModelException>(() => OnnxReader.Read(two, "test", inputs: new("none"))).Message);
    }

    private static ImmutableDictionary<string, ImmutableArray<float>> Values(string name, params float[] values) => new OnnxInputs().Values.Add(name, [.. values]);

    private static Activation Image() => new(new(1, 3, 8, 8), OnnxFile.Noise(192, 1));

    /// <summary>Two layers whose outputs are multiplied by a scale; the image's size is read too.</summary>
    private static byte[] File(bool foreign = false, string other = "im_shape", long[]? dims = null)
    {
        OnnxFile file = new OnnxFile().Floats("w1", [16, 3, 3, 3], OnnxFile.Noise(432, 1)).Floats("w2", [16, 16, 3, 3], OnnxFile.Noise(2304, 2)).Ints("first", 0)
            .Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node(foreign ? "Shrink" : "Relu", "r", "s").Node("Conv", "s w2", "b", Pads)
            .Node("ReduceProd", "scale_factor", "f", ("keepdims", 0)).Node("Mul", "b f", "c").Node("ReduceSum", other, "g", ("keepdims", 0)).Node("ReduceMax", "g", "h", ("keepdims", 0)).Node("Mul", "h zero", "i").Floats("zero", [], 0f).Node("Add", "c i", "y");
        Add("scale_factor", -1, 1);
        Add(other, dims ?? [1, 2]);
        return file.Bytes("y");

        void Add(string name, params long[] sizes)
        {
            var shape = new TensorShapeProto();
            shape.Dim.AddRange(sizes.Select(d => d < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "n" } : new() { DimValue = d }));
            file.Model.Graph.Input.Add(new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = 1, Shape = shape } } });
        }
    }
}
