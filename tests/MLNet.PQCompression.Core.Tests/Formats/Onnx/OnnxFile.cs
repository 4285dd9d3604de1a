using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

/// <summary>Puts ONNX files together node by node, as exporters do.</summary>
internal sealed class OnnxFile
{
    private readonly ModelProto _model;

    public OnnxFile(int opset = 17, params long[] input)
    {
        _model = new() { IrVersion = 7, OpsetImport = { new OperatorSetIdProto { Version = opset } }, Graph = new() { Name = "test" } };
        var shape = new TensorShapeProto();
        foreach (long d in input is [] ? [-1, 3, 8, 8] : input)
            shape.Dim.Add(d < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "x" } : new() { DimValue = d });
        _model.Graph.Input.Add(new ValueInfoProto { Name = "input", Type = new() { TensorType = new() { ElemType = 1, Shape = shape } } });
    }

    public ModelProto Model => _model;

    public OnnxFile Node(string type, string inputs, string output, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new NodeProto { OpType = type };
        foreach (string name in output.Split(' '))
            node.Output.Add(name);
        foreach (string input in inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            node.Input.Add(input == "-" ? "" : input);
        foreach ((string name, object value) in attributes)
            node.Attribute.Add(Attribute(name, value));
        _model.Graph.Node.Add(node);
        return this;
    }

    public OnnxFile Floats(string name, int[] dims, params float[] values) =>
        Tensor(name, 1, dims, MemoryMarshal.AsBytes((values is [] ? Ramp(dims) : values).AsSpan()).ToArray());

    public OnnxFile Ints(string name, params long[] values) => Tensor(name, 7, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public OnnxFile Scalar(string name, long value) => Tensor(name, 7, [], MemoryMarshal.AsBytes([value]).ToArray());

    public OnnxFile Tensor(string name, int type, int[] dims, byte[] data)
    {
        _model.Graph.Initializer.Add(Proto(name, type, dims, data));
        return this;
    }

    public static TensorProto Proto(string name, int type, int[] dims, byte[] data)
    {
        var tensor = new TensorProto { Name = name, DataType = type, RawData = ByteString.CopyFrom(data) };
        tensor.Dims.AddRange(dims.Select(d => (long)d));
        return tensor;
    }

    public static float[] Ramp(int[] dims) => [.. Enumerable.Range(0, dims.Aggregate(1, (p, d) => p * d)).Select(i => (i % 7 - 3) / 4f)];

    /// <summary>Numbers from -½ to ½.</summary>
    public static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    public byte[] Bytes(params ReadOnlySpan<string> outputs)
    {
        foreach (string output in outputs)
            _model.Graph.Output.Add(new ValueInfoProto { Name = output, Type = new() { TensorType = new() { ElemType = 1 } } });
        return _model.ToByteArray();
    }

    public ModelGraph Read(params ReadOnlySpan<string> outputs) => OnnxReader.Read(Bytes(outputs is [] ? ["y"] : outputs), "test.onnx");

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case int number:
                (attribute.I, attribute.Type) = (number, AttributeProto.Types.AttributeType.Int);
                break;
            case float number:
                (attribute.F, attribute.Type) = (number, AttributeProto.Types.AttributeType.Float);
                break;
            case string text:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeProto.Types.AttributeType.String);
                break;
            case int[] list:
                attribute.Ints.AddRange(list.Select(i => (long)i));
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                break;
            case TensorProto tensor:
                (attribute.T, attribute.Type) = (tensor, AttributeProto.Types.AttributeType.Tensor);
                break;
            default:
                throw new ArgumentException(name);
        }
        return attribute;
    }
}
