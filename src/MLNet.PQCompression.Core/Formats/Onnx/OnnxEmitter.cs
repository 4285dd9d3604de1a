using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Collects the nodes and initializers of a file, invents short names and shares equal constants.</summary>
/// <param name="graph">Where they go.</param>
/// <param name="reserved">Names that others have.</param>
/// <param name="opset">The operator set of the file.</param>
/// <param name="nodesOnly">Whether constants must be Constant nodes: before IR version 4 an initializer had to be an input too.</param>
internal sealed class OnnxEmitter(GraphProto graph, IEnumerable<string> reserved, int opset, bool nodesOnly = false)
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private readonly HashSet<string> _taken = [.. reserved];
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);
    private int _names;

    /// <summary>The operator set of the file.</summary>
    public int Opset => opset;

    /// <summary>A name that nothing has: a, b, … Z, aa, ab, …</summary>
    public string NewName()
    {
        string name;
        do
        {
            name = "";
            for (int n = _names++; n >= 0; n = n / Alphabet.Length - 1)
                name = Alphabet[n % Alphabet.Length] + name;
        }
        while (!_taken.Add(name));
        return name;
    }

    /// <summary>Adds a node and returns the name of what it makes, an invented one unless <paramref name="output"/> is given.</summary>
    public string Add(string type, ReadOnlySpan<string> inputs, ReadOnlySpan<AttributeProto> attributes = default, string? output = null, string? name = null)
    {
        output ??= NewName();
        var node = new NodeProto { OpType = type, Output = { output } };
        if (name is not null)
            node.Name = name;
        foreach (string input in inputs)
            node.Input.Add(input);
        foreach (AttributeProto attribute in attributes)
            node.Attribute.Add(attribute);
        graph.Node.Add(node);
        return output;
    }

    /// <summary>A name that nothing has, the one wished for if it is free.</summary>
    public string NameLike(string name)
    {
        string free = name;
        for (int i = 2; !_taken.Add(free); i++)
            free = $"{name}.{i}";
        return free;
    }

    /// <summary>Adds a constant: an initializer, but for float16 a Constant node, which runtimes treat alike: ML.NET refuses files with float16 initializers.</summary>
    public string Initializer(string name, TensorElementType type, TensorShape shape, byte[] data)
    {
        var tensor = new TensorProto { Name = name, DataType = OnnxTensors.Number(type), RawData = UnsafeByteOperations.UnsafeWrap(data) };
        foreach (int d in shape.Dimensions)
            tensor.Dims.Add(d);
        if (nodesOnly || type == TensorElementType.Float16)
        {
            tensor.Name = "";
            return Add("Constant", [], [new AttributeProto { Name = "value", T = tensor, Type = AttributeProto.Types.AttributeType.Tensor }], output: name);
        }
        graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>A small constant of integers; equal ones are one initializer.</summary>
    public string Shared(TensorElementType type, TensorShape shape, params ReadOnlySpan<long> values) =>
        Shared($"{type} {shape} {string.Join(' ', values.ToArray())}", type, shape, RawTensor.Encode(values, type));

    /// <summary>A list of int64.</summary>
    public string Shared(params ReadOnlySpan<long> values) => Shared(TensorElementType.Int64, new(values.Length), values);

    /// <summary>A real number.</summary>
    public string Shared(float value) => Shared($"{value:R}", TensorElementType.Float32, new(), RawTensor.Encode([value], StorageType.Float32));

    /// <summary>A list of real numbers.</summary>
    public string Shared(ReadOnlySpan<float> values) =>
        Shared($"[{string.Join(' ', values.ToArray().Select(v => $"{v:R}"))}]", TensorElementType.Float32, new(values.Length), RawTensor.Encode(values, StorageType.Float32));

    /// <summary>A vector of zeros.</summary>
    public string SharedZeros(int length) => Shared($"{length} zeros", TensorElementType.Float32, new(length), new byte[length * sizeof(float)]);

    private string Shared(string key, TensorElementType type, TensorShape shape, byte[] data)
    {
        if (!_shared.TryGetValue(key, out string? name))
            _shared.Add(key, name = Initializer(NewName(), type, shape, data));
        return name;
    }

    public static AttributeProto Attribute(string name, long value) => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Attribute(string name, float value) => new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto TextAttribute(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeProto.Types.AttributeType.String };

    public static AttributeProto ListAttribute(string name, params ReadOnlySpan<int> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        foreach (int value in values)
            attribute.Ints.Add(value);
        return attribute;
    }
}
