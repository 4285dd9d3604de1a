using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// One reading of one model: resolves values in order, folds what is constant, and collects the nodes that remain. What cannot be computed here becomes a <see cref="Foreign"/> node.
/// </summary>
internal sealed partial class OnnxGraphReader(ModelMessage model, GraphMessage graph, OnnxTensors tensors, ReadOnlyMemory<byte> file, string? folder, bool verify, OnnxInputs given)
{
    /// <summary>What constant folding may take whatever the file's length: files of weights by ConstantOfShape are small.</summary>
    private const long FoldedBytes = 1 << 30;

    // Two sizes for every dimension that may vary, so that what depends on it shows.
    private static readonly int[] ProbedBatches = [ProbedShape.FirstBatch, ProbedShape.SecondBatch], ProbedHeights = [256, 384], ProbedWidths = [512, 640];

    private static readonly int[] ChannelsLastPermutation = [0, 2, 3, 1];

    private readonly Dictionary<string, (Activation Source, int[] Permutation)> _turned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxValue> _values = new(StringComparer.Ordinal);
    private readonly List<Node> _nodes = [];
    private readonly UniqueNames _nodeNames = new(), _constantNames = new(), _innerNames = new();
    private readonly Dictionary<string, Initializer> _initializers = new(StringComparer.Ordinal);
    private readonly Dictionary<OnnxValue, string> _references = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<OnnxValue, Quantized> _rows = new(ReferenceEqualityComparer.Instance);
    private readonly ConstantFolding _folding = new(64L * file.Length + FoldedBytes);
    private OnnxDocument _document = null!;
    private long? _fixedBatch;
    private bool _fixedSize;

    public ModelGraph Read()
    {
        int opset = Opset();
        foreach (TensorMessage tensor in graph.Initializers)
            if (!_values.TryAdd(tensor.Name, OnnxTensors.IsRead(tensor) ? new Constant(tensor.Name, tensors.Decode(tensor)) : new Opaque(tensor.Name)))
                throw new InvalidModelException($"the initializer '{tensor.Name}' comes twice");
        foreach (ReadOnlyMemory<byte> sparse in graph.SparseInitializers)
            AddSparse(sparse);
        ValueInfo input = Input();
        for (int i = 0; i < graph.Nodes.Count; i++)
            Translate(graph.Nodes[i], i, opset);
        return Finish(input);
    }

    // Models of before operator sets have none and mean the first.
    private int Opset()
    {
        long opset = model.OperatorSets.Find(o => IsStandard(o.Domain))?.Version ?? (model.IrVersion < 3 ? 1 : 0);
        return opset is >= 1 and <= int.MaxValue ? (int)opset : throw new InvalidModelException(opset == 0 ? "it names no ONNX operator set" : $"its operator set is {opset}");
    }

    private static bool IsStandard(string domain) => domain is "" or "ai.onnx";

    private void AddSparse(ReadOnlyMemory<byte> sparse)
    {
        for (var reader = new ProtoReader(sparse); reader.Next();)
            if (reader.Field == 1 && reader.Bytes(out ReadOnlyMemory<byte> values) && new TensorMessage(values).Name is { Length: > 0 } name)
                _values.TryAdd(name, new Opaque(name));
    }

    private void Translate(NodeMessage message, int index, int opset)
    {
        if (FirstOutput(message) is null)
            throw new InvalidModelException($"node '{message.Name}' ({message.Type}) has no output");
        OnnxValue?[] inputs = InputsOf(message);
        int first = _nodes.Count;
        try
        {
            if (WhyForeign(message, inputs) is { } reason)
                throw new UnsupportedOperatorException(message.Type, message.Name, reason);
            var node = new OnnxNode(message, OnnxNames.OfNode(message, inputs), opset, _fixedBatch, inputs, tensors);
            Resolve(node);
            node.RefuseOtherAttributes();
            Link(message, index, inputs, first);
        }
        catch (UnsupportedOperatorException e)
        {
            Forget(message, first);
            KeepForeign(message, index, inputs, e.Reason);
        }
    }

    private static string? FirstOutput(NodeMessage message) => message.Outputs.Find(o => o.Length > 0);

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
                node.Int("is_test", 1);
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
                Define(node, activation.IsReal ? activation : activation with { IsReal = true, IsImage = false });
                return;
            case "Transpose" when node.Input(0) is Activation turned && _turned.TryGetValue(turned.Name, out var turn) && node.Peek("perm") is { } back && Undoes(back, turn.Permutation):
                node.Ints("perm");
                Define(node, turn.Source with { IsReal = turned.IsReal, IsImage = turned.IsImage });
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
        if (node.Type == "MatMul" && node.Input(1) is Quantized { Tensor: { IsTransposed: true, Shape.Rank: 2 } } rows && node.Input(0) is Activation { Shape.Rank: 2 })
        {
            Define(node, Emit(_nodeNames.Take(node.Name), new Gemm(TransposeB: true), [node.Input(0), Rows(rows)], node.Outputs[0]));
            return;
        }
        if (Sequence(node) is { } sequence)
        {
            // The last of the nodes makes what the file's does, under its name.
            if (sequence is Activation last && _nodes.Count > 0 && _nodes[^1].Output == last.Name && last.Name.StartsWith(node.Outputs[0] + Inner, StringComparison.Ordinal))
            {
                _nodes[^1] = _nodes[^1] with { Output = node.Outputs[0] };
                sequence = last with { Name = node.Outputs[0] };
            }
            Define(node, sequence);
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
        int axis = node.WorkingAxis(node.Int("axis", 0)), parts = node.Outputs.Length;
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

    /// <summary>The weight whose transpose a value is.</summary>
    private OnnxValue Rows(Quantized transposed)
    {
        if (!_rows.TryGetValue(transposed, out Quantized? rows))
            _rows.Add(transposed, rows = transposed with { Tensor = transposed.Tensor.Transpose() });
        return rows;
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
        catch (InvalidModelException e) when (_fixedBatch is not null)
        {
            throw new UnsupportedOperatorException(node.Operator.OnnxName, node.Name, $"it takes {_fixedBatch} images only: {e.Message}");
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
        _document.Types[name] = (StorageType)(value.CastTo ?? (value as Constant)?.Tensor.Type ?? TensorElementType.Float32);
        return name;
    }
}
