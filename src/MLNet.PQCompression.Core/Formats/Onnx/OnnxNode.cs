using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>A node of a file with its inputs resolved. Attributes that no one asked for are refused at the end.</summary>
internal sealed class OnnxNode
{
    private readonly Dictionary<string, AttributeMessage> _attributes = new(StringComparer.Ordinal);
    private readonly OnnxValue?[] _inputs;
    private readonly OnnxTensors _tensors;

    public OnnxNode(NodeMessage message, string name, int opset, long? fixedBatch, OnnxValue?[] inputs, OnnxTensors tensors)
    {
        (Type, Name, Opset, FixedBatch, _inputs, _tensors) = (message.Type, name, opset, fixedBatch, inputs, tensors);
        Outputs = [.. message.Outputs];
        foreach (AttributeMessage attribute in message.Attributes)
            if (attribute.Name == "consumed_inputs" && opset < 6)
                continue; // Which inputs might be overwritten.
            else if (!_attributes.TryAdd(attribute.Name, attribute))
                throw new InvalidModelException($"node '{name}' has the attribute '{attribute.Name}' twice");
    }

    public string Type { get; }

    public string Name { get; }

    public int Opset { get; }

    /// <summary>The batch size that the model's input declares, if any.</summary>
    public long? FixedBatch { get; }

    public ImmutableArray<string> Outputs { get; }

    public int InputCount => _inputs.Length;

    /// <summary>Whether it has inputs and all are known without running the network.</summary>
    public bool IsConstant
    {
        get
        {
            for (int i = 0; i < _inputs.Length; i++)
                if (Input(i) is Activation or Opaque)
                    return false;
            return _inputs.Length > 0;
        }
    }

    /// <summary>An input that must be there.</summary>
    public OnnxValue Input(int index) => OptionalInput(index) ?? throw new InvalidModelException($"node '{Name}' ({Type}) lacks its input {index}");

    /// <summary>An input, or null where it is left out.</summary>
    public OnnxValue? OptionalInput(int index) => index < _inputs.Length ? _inputs[index] : null;

    /// <summary>All inputs, none left out.</summary>
    public IEnumerable<OnnxValue> Inputs
    {
        get
        {
            for (int i = 0; i < _inputs.Length; i++)
                yield return Input(i);
        }
    }

    /// <summary>An integer that the translation has still to look at.</summary>
    public long PeekInt(string attribute, long otherwise) => _attributes.TryGetValue(attribute, out AttributeMessage? a) ? a.Integer : otherwise;

    public long Int(string attribute, long otherwise) => Take(attribute) is { } a ? a.Integer : otherwise;

    public float Float(string attribute, float otherwise) => Take(attribute) is { } a ? a.Float : otherwise;

    public string Text(string attribute, string otherwise) => Take(attribute) is { } a ? Encoding.UTF8.GetString(a.Text.Span) : otherwise;

    public long[]? Ints(string attribute) => Take(attribute) is { } a ? a.Integers.ToArray() : null;

    /// <summary>An attribute that is left for others to read.</summary>
    public long[]? Peek(string attribute) => _attributes.TryGetValue(attribute, out AttributeMessage? a) ? a.Integers.ToArray() : null;

    public float[]? Floats(string attribute) => Take(attribute) is { } a ? MemoryMarshal.Cast<byte, float>(a.Floats?.ToArray()).ToArray() : null;

    public RawTensor? Tensor(string attribute) => Take(attribute) is not { Tensor: { } tensor } ? null
        : OnnxTensors.IsRead(tensor) ? _tensors.Decode(tensor)
        : throw Unsupported($"tensors of the element type {tensor.ElementType} are not read");

    public bool Has(string attribute) => _attributes.ContainsKey(attribute);

    /// <summary>Integers that older operator sets give as an attribute and newer ones as an input; null where neither is there.</summary>
    public long[]? Ints(string attribute, int input) =>
        OptionalInput(input) is { } value ? ConstantFolding.AsIntegers(value)?.Elements ?? throw NotConstant(input) : Ints(attribute);

    /// <summary>Integers as <see cref="Ints(string, int)"/> has them, for each of the two probing inputs.</summary>
    public (long[] First, long[] Second)? ProbedInts(string attribute, int input) =>
        OptionalInput(input) is { } value
            ? ConstantFolding.AsIntegers(value) is { } integers ? (integers.First, integers.Second) : throw NotConstant(input)
            : Ints(attribute) is { } own ? (own, own) : null;

    /// <summary>Real numbers as an input; null where it is left out or empty.</summary>
    public (float[] First, float[] Second)? ProbedFloats(int input) => OptionalInput(input) switch
    {
        null => null,
        Constant { Tensor: { Type: var type } tensor } when type.IsReal() => tensor.Count == 0 ? null : tensor.ToFloats() is var floats ? (floats, floats) : null,
        Reals reals => (reals.First.Span.ToArray(), reals.Second.Span.ToArray()),
        _ => throw NotConstant(input),
    };

    /// <summary>One real number that older operator sets give as an attribute and newer ones as an input.</summary>
    public float Float(string attribute, int input, float otherwise)
    {
        if (OptionalInput(input) is not { } value)
            return Float(attribute, otherwise);
        float[]? numbers = value is Constant { Tensor.Type: var type } constant && type.IsReal() ? constant.Tensor.ToFloats() : null;
        return numbers is [var one] ? one : throw NotConstant(input);
    }

    /// <summary>A constant of real numbers that shapes the operator, such as a weight.</summary>
    public TensorShape WeightShape(int input) => Input(input) is Constant or Quantized or Lookup ? ConstantShapes.ShapeOf(Input(input)) : throw NotConstant(input);

    /// <summary>An axis counted from the front.</summary>
    public int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw new InvalidModelException($"node '{Name}' ({Type}) has axis {axis} for {rank} dimensions");

    /// <summary>The rank of an input.</summary>
    public int Rank(int input) => Shape(input).Rank;

    /// <summary>The shape of an activation.</summary>
    public ProbedShape Shape(int input) => Input(input) switch
    {
        Activation { Shape: { } shape } => shape,
        Activation or Opaque => throw Unsupported("the shape of its input must be known here; fix the model's image size"),
        Reals reals => new(reals.First.Shape, reals.Second.Shape),
        var constant => ConstantShapes.ShapeOf(constant) is var shape ? new(shape, shape) : null!,
    };

    /// <summary>An axis along which the operator works, counted from the front; the batch must not lie there.</summary>
    public int WorkingAxis(long axis)
    {
        ProbedShape shape = Shape(0);
        int counted = Axis(axis, shape.Rank);
        return shape.HoldsBatch(counted) ? throw Unsupported($"it works along dimension {counted} of {shape.ToShape()}, which holds the images of a batch") : counted;
    }

    public UnsupportedOperatorException Unsupported(string reason) => new(Type, Name, reason);

    public UnsupportedOperatorException NotConstant(int input) => Unsupported($"its input {input} must be constant");

    /// <summary>Refuses the attributes that the translation did not look at.</summary>
    public void RefuseOtherAttributes()
    {
        if (_attributes.Count > 0)
            throw Unsupported($"the attribute {string.Join(", ", _attributes.Keys)} is not supported");
    }

    private AttributeMessage? Take(string name) => _attributes.Remove(name, out AttributeMessage? attribute) ? attribute : null;
}
