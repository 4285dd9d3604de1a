using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>One reading of one model: resolves values in order, folds what is constant, and collects the nodes that remain.</summary>
internal sealed partial class OnnxGraphReader(ModelMessage model, GraphMessage graph, OnnxTensors tensors, long fileLength, bool verify)
{
    private const int MinOpset = 7, MaxOpset = 24;

    // Two sizes for every dimension that may vary, so that what depends on it shows.
    private static readonly int[] ProbedBatches = [2, 3], ProbedSizes = [224, 288];

    private readonly Dictionary<string, OnnxValue> _values = new(StringComparer.Ordinal);
    private readonly List<Node> _nodes = [];
    private readonly UniqueNames _nodeNames = new(), _constantNames = new();
    private readonly Dictionary<string, Initializer> _initializers = new(StringComparer.Ordinal);
    private readonly Dictionary<OnnxValue, string> _references = new(ReferenceEqualityComparer.Instance);
    private readonly List<UnsupportedOperatorException> _unsupported = [];
    private readonly ConstantFolding _folding = new(64 * fileLength + (16 << 20));
    private long? _fixedBatch;
    private bool _fixedSize;

    public ModelGraph Read()
    {
        int opset = Opset();
        foreach (TensorMessage tensor in graph.Initializers)
            if (!_values.TryAdd(tensor.Name, new Constant(tensor.Name, tensors.Decode(tensor))))
                throw new InvalidModelException($"the initializer '{tensor.Name}' comes twice");
        ValueInfo input = Input();
        foreach (NodeMessage node in graph.Nodes)
            Translate(node, opset);
        if (_unsupported.Count > 0)
            throw Combine();
        return Finish(input);
    }

    private int Opset()
    {
        long opset = model.OperatorSets.Find(o => IsStandard(o.Domain))?.Version ?? throw new InvalidModelException("it names no ONNX operator set");
        return opset is >= MinOpset and <= MaxOpset
            ? (int)opset
            : throw new InvalidModelException($"its operator set is {opset}; {MinOpset} to {MaxOpset} are read");
    }

    private static bool IsStandard(string domain) => domain is "" or "ai.onnx";

    private ValueInfo Input()
    {
        List<ValueInfoMessage> inputs = graph.Inputs.FindAll(i => !_values.ContainsKey(i.Name));
        if (inputs.Count != 1)
            throw WrongInputs(inputs);
        if (!OnnxTensors.TryType(inputs[0].ElementType, out TensorElementType element) || !element.IsReal())
            throw new InvalidModelException($"its input '{inputs[0].Name}' is not a tensor of real numbers");
        if (inputs[0].Dimensions is not { Count: 4 } dimensions)
            throw new InvalidModelException($"its input '{inputs[0].Name}' has {inputs[0].Dimensions?.Count ?? 0} dimensions; N×C×H×W is needed");
        var sizes = new int[4];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = dimensions[i] is > 0 and <= 1 << 20 ? (int)dimensions[i] : -1;
        if (sizes[1] < 0)
            throw new InvalidModelException($"its input '{inputs[0].Name}' has an unknown number of channels");
        _fixedBatch = sizes[0] > 0 ? sizes[0] : null;
        _fixedSize = sizes[2] > 0 && sizes[3] > 0;
        sizes[0] = -1;
        _values[inputs[0].Name] = new Activation(inputs[0].Name, new(Probing(0), Probing(1)));
        return new(inputs[0].Name, new(sizes));

        TensorShape Probing(int probe) => new(
            ProbedBatches[probe], sizes[1], sizes[2] < 0 ? ProbedSizes[probe] : sizes[2], sizes[3] < 0 ? ProbedSizes[probe] : sizes[3]);
    }

    // Apart, so that LINQ is loaded only for the message.
    private static InvalidModelException WrongInputs(List<ValueInfoMessage> inputs) =>
        new($"it has {inputs.Count} inputs ({string.Join(", ", inputs.Take(8).Select(i => i.Name))}); one image input is needed");

    private void Translate(NodeMessage message, int opset)
    {
        if (message.Outputs.Count == 0 || message.Outputs[0].Length == 0)
            throw new InvalidModelException($"node '{message.Name}' ({message.Type}) has no output");
        OnnxValue?[] inputs = InputsOf(message);
        try
        {
            foreach (OnnxValue? input in inputs)
                if (input is Unreadable)
                {
                    Abandon(message);
                    return;
                }
            var node = new OnnxNode(message, OnnxNames.OfNode(message, inputs), opset, _fixedBatch, inputs, tensors);
            if (!IsStandard(message.Domain))
                throw node.Unsupported($"operators of the domain '{message.Domain}' are not supported");
            Resolve(node);
            node.RefuseOtherAttributes();
        }
        catch (UnsupportedOperatorException e)
        {
            _unsupported.Add(e);
            Abandon(message);
        }
    }

    /// <summary>A node's inputs without those that are left out at the end.</summary>
    private OnnxValue?[] InputsOf(NodeMessage message)
    {
        int count = message.Inputs.Count;
        while (count > 0 && message.Inputs[count - 1].Length == 0)
            count--;
        var inputs = new OnnxValue?[count];
        for (int i = 0; i < count; i++)
            if (message.Inputs[i] is { Length: > 0 } name)
                inputs[i] = _values.TryGetValue(name, out OnnxValue? value) ? value
                    : throw new InvalidModelException($"node '{message.Name}' ({message.Type}) reads '{name}', which no earlier node, initializer or input makes");
        return inputs;
    }

    private void Abandon(NodeMessage node)
    {
        foreach (string output in node.Outputs.Where(o => o.Length > 0))
            _values[output] = new Unreadable(output);
    }

    private void Resolve(OnnxNode node)
    {
        switch (node.Type)
        {
            case "Constant":
                Define(node, ConstantOf(node));
                return;
            case "Dropout":
                node.Float("ratio", 0);
                node.Int("seed", 0);
                if (node.Ints("training_mode", 2) is [not 0, ..])
                    throw node.Unsupported("training mode is not supported");
                Define(node, node.Input(0));
                return;
            case "Identity":
                Define(node, node.Input(0));
                return;
            case "Cast" when node.Input(0) is Activation activation:
                if (!OnnxTensors.TryType(node.Int("to", 0), out TensorElementType to) || !to.IsReal())
                    throw node.Unsupported("activations are cast to real types only");
                node.Int("saturate", 1);
                Define(node, activation);
                return;
            case "Sum" when node.InputCount > 0:
                OnnxValue sum = node.Input(0);
                for (int i = 1; i < node.InputCount; i++)
                    sum = Emit(_nodeNames.Take(node.Name), new Binary(BinaryFunction.Add), [sum, node.Input(i)], i == node.InputCount - 1 ? node.Outputs[0] : $"{node.Outputs[0]}.{i}");
                Define(node, sum);
                return;
            case "Split" when node.Input(0) is Activation:
                Split(node);
                return;
        }
        if (node.Outputs.Length > 1 && node.Type != "BatchNormalization" && HasFurtherOutputs(node))
            throw node.Unsupported("only its first output is computed");
        if (_folding.Fold(node) is { } folded)
        {
            Define(node, folded);
            return;
        }
        Operator operation = OnnxOperators.Translate(node, out int read);
        var inputs = new OnnxValue[read];
        for (int i = 0; i < read; i++)
            inputs[i] = node.Input(i);
        Define(node, Emit(_nodeNames.Take(node.Name), operation, inputs, node.Outputs[0]));
    }

    private static bool HasFurtherOutputs(OnnxNode node)
    {
        for (int i = 1; i < node.Outputs.Length; i++)
            if (node.Outputs[i].Length > 0)
                return true;
        return false;
    }

    private static OnnxValue ConstantOf(OnnxNode node)
    {
        string name = node.Outputs[0];
        static RawTensor Real(TensorShape shape, params float[] values) => new(TensorElementType.Float32, shape, RawTensor.Encode(values, StorageType.Float32));
        static RawTensor Whole(TensorShape shape, params long[] values) => new(TensorElementType.Int64, shape, RawTensor.Encode(values, TensorElementType.Int64));
        if (node.Has("value"))
            return new Constant(name, node.Tensor("value") ?? throw new InvalidModelException($"node '{node.Name}' (Constant) has no value"));
        if (node.Has("value_float"))
            return new Constant(name, Real(new(), node.Float("value_float", 0)));
        if (node.Has("value_int"))
            return new Constant(name, Whole(new(), node.Int("value_int", 0)));
        if (node.Floats("value_floats") is { } floats)
            return new Constant(name, Real(new(floats.Length), floats));
        if (node.Ints("value_ints") is { } ints)
            return new Constant(name, Whole(new(ints.Length), ints));
        throw node.Unsupported("a constant must be a tensor or numbers");
    }

    private void Split(OnnxNode node)
    {
        int axis = node.Axis(node.Int("axis", 0), node.Rank(0)), parts = node.Outputs.Length;
        long size = node.Shape(0)[axis];
        if (Integers.IsMark(size))
            throw node.Unsupported("only a dimension of known size is split");
        node.Int("num_outputs", parts);
        long each = (size + parts - 1) / parts;
        long[] sizes = node.Ints("split", 1) ?? [.. Enumerable.Range(0, parts).Select(i => Math.Min(each, size - i * each))];
        if (sizes.Length != parts || sizes.Any(s => s < 1 || s > size) || sizes.Sum() != size)
            throw new InvalidModelException($"node '{node.Name}' (Split) cuts {size} into [{string.Join(", ", sizes)}]");
        int start = 0;
        for (int i = 0; i < parts; i++)
        {
            int end = start + (int)sizes[i];
            if (node.Outputs[i].Length > 0)
                Define(node.Outputs[i], Emit(_nodeNames.Take(node.Name), new Slice([new(axis, start, end)]), [node.Input(0)], node.Outputs[i]));
            start = end;
        }
    }

    private void Define(OnnxNode node, OnnxValue value) => Define(node.Outputs[0], value);

    private void Define(string name, OnnxValue value)
    {
        if (!_values.TryAdd(name, value))
            throw new InvalidModelException($"'{name}' is made twice");
    }

    private Activation Emit(string name, Operator operation, OnnxValue[] inputs, string output)
    {
        var node = new Node(name, operation, ImmutableCollectionsMarshal.AsImmutableArray(Array.ConvertAll(inputs, Reference)), output);
        _nodes.Add(node);
        return new(output, Probe(node, inputs));
    }

    private ProbedShape? Probe(Node node, OnnxValue[] inputs)
    {
        var first = new TensorShape[inputs.Length];
        var second = new TensorShape[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i] is Activation activation)
            {
                if (activation.Shape is not { } shape)
                    return null;
                (first[i], second[i]) = (shape.First, shape.Second);
            }
            else
                first[i] = second[i] = ConstantShapes.ShapeOf(inputs[i]);
        try
        {
            return new(ShapeInference.OutputShape(node, first), ShapeInference.OutputShape(node, second));
        }
        catch (InvalidModelException) when (!_fixedSize)
        {
            return null; // The model may fit image sizes other than the probed ones.
        }
    }

    /// <summary>The name under which a node reads a value; a constant becomes an initializer.</summary>
    private string Reference(OnnxValue value)
    {
        if (value is Activation)
            return value.Name;
        if (_references.TryGetValue(value, out string? known))
            return known;
        Initializer initializer = value switch
        {
            Constant { Tensor: { } tensor } when tensor.Type.IsReal() => tensor.ToDense(),
            Quantized quantized => quantized.Tensor,
            Lookup { CodesShape.Rank: > 0 } lookup => new QuantizedTensor(lookup.Shape, lookup.BlockSize, lookup.Codebook, lookup.Codes),
            _ => throw new InvalidModelException($"the constant '{value.Name}' is not made of real numbers"),
        };
        string name = _constantNames.Take(value.Name);
        _initializers.Add(name, initializer);
        _references.Add(value, name);
        return name;
    }

    private UnsupportedOperatorException Combine()
    {
        UnsupportedOperatorException first = _unsupported[0];
        string others = string.Concat(_unsupported.Skip(1).Take(20).Select(e => $"; {e.Message}"));
        string more = _unsupported.Count > 21 ? $"; and {_unsupported.Count - 21} more" : "";
        return new(first.OperatorName, first.NodeName, first.Reason + others + more);
    }
}
