using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.OnnxEmitter;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Writes a graph as the document it was read from with its weights replaced: whatever reads a weight that has changed reads the nodes that rebuild it. Inputs, outputs, operator sets, foreign nodes
/// and what this library does not look into stay as they are.
/// </summary>
internal sealed class DocumentWriter
{
    private const int FirstIrOfInitializers = 4;

    private readonly OnnxDocument _document;
    private readonly ModelGraph _graph;
    private readonly OnnxWriteOptions _options;
    private readonly ModelProto _model;
    private readonly NodeProto[] _nodes;
    private readonly DocumentNames _names;
    private readonly List<Action<OnnxEmitter>> _rewiring = [];
    private readonly HashSet<DocumentUse> _replaced = [];
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StorageType> _addedTypes = new(StringComparer.Ordinal);
    private readonly Dictionary<NodeProto, NodeProto> _sums = new(ReferenceEqualityComparer.Instance);

    public DocumentWriter(OnnxDocument document, ModelGraph graph, OnnxWriteOptions options)
    {
        (_document, _graph, _options) = (document, graph, options);
        _model = ModelProto.Parser.ParseFrom(document.File.Span);
        _nodes = [.. _model.Graph.Node];
        _names = new(_model.Graph);
    }

    /// <summary>The message of the whole file.</summary>
    public ModelProto Write()
    {
        Build(shorten: !_options.KeepNames);
        GraphProto graph = _model.Graph;
        FixInputSize(graph.Input.First(i => i.Name == _document.Input.Name), _document.Input, _graph.Input.Shape);
        _model.MetadataProps.Clear();
        foreach ((string key, string value) in _graph.Metadata.Where(m => m.Key != WeightDigest.MetadataKey))
            _model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        if (!_options.Dense && WeightDigest.Of(_graph.Initializers.Values.OfType<QuantizedTensor>()) is { } digest)
            _model.MetadataProps.Add(new StringStringEntryProto { Key = WeightDigest.MetadataKey, Value = digest });
        return _model;
    }

    /// <summary>The same with every name kept, for taking parts out of it.</summary>
    public ModelProto WriteForRunning()
    {
        Build(shorten: false);
        return _model;
    }

    private void Build(bool shorten)
    {
        GraphProto graph = _model.Graph;
        foreach (Node node in _graph.Nodes)
            if (_document.Nodes.TryGetValue(node.Output, out int index) && node.Operator is not Foreign)
                Rewire(node, _nodes[index], index);
        foreach ((string name, List<DocumentUse> uses) in _document.Uses)
            if (_graph.FindInitializer(name) is { } weight && HasChanged(name, weight))
                foreach (DocumentUse use in uses)
                    Replace(use, name, weight, isTransposed: false);
        NodeProto[] all = [.. graph.Node.SelectMany(n => _sums.TryGetValue(n, out NodeProto? sum) ? (NodeProto[])[n, sum] : [n])];
        graph.Node.Clear();
        graph.Node.AddRange(all);
        _names.DropUnread();
        bool isOld = _model.IrVersion < FirstIrOfInitializers;
        var added = new GraphProto();
        HashSet<string> kept = shorten ? _names.Fixed(_document.Uses.Keys) : _names.All();
        var emitter = new OnnxEmitter(added, kept, Opset(), isOld);
        Tidy(shorten);
        if (shorten)
            _names.Shorten(kept, emitter.NewName);
        foreach (Action<OnnxEmitter> rewiring in _rewiring)
            rewiring(emitter);
        NodeProto[] own = [.. graph.Node];
        graph.Node.Clear();
        graph.Node.AddRange(added.Node);
        graph.Node.AddRange(own);
        graph.Initializer.AddRange(added.Initializer);
        var tensors = new OnnxTensors(_document.Folder);
        foreach (TensorProto tensor in graph.Initializer)
            TakeIn(tensor, tensors);
    }

    private int Opset() => (int)(_model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1);

    private bool HasChanged(string name, Initializer weight) => _options.Dense && weight is QuantizedTensor || !ReferenceEquals(_document.Weights.GetValueOrDefault(name), weight);

    /// <summary>Brings what a typed node reads into its node in the document.</summary>
    private void Rewire(Node node, NodeProto proto, int index)
    {
        if (node.Operator is BatchNormalization norm && proto.OpType == "BatchNormalization")
        {
            Normalize(node, norm, proto, index);
            return;
        }
        if (node.Operator is not (Conv or ConvTranspose or Gemm or MatMul))
            return;
        if (_graph.FindInitializer(node.Inputs[1]) is { } weight && HasChanged(node.Inputs[1], weight))
        {
            bool isRows = node.Operator is Gemm { TransposeB: true } && !(proto.OpType == "Gemm" && proto.Attribute.Any(a => a is { Name: "transB", I: not 0 }));
            if (isRows && proto.OpType == "Gemm")
            {
                DocumentNames.Keep(proto.Attribute, a => a.Name != "transB");
                proto.Attribute.Add(Attribute("transB", 1));
                isRows = false;
            }
            Replace(new(index, 1), node.Inputs[1], weight, isRows);
        }
        if (node.Inputs.Length > 2 && _graph.FindInitializer(node.Inputs[2]) is { } bias && HasChanged(node.Inputs[2], bias))
            AddBias(node, proto, index, bias);
        if (!_options.KeepNames && node.Inputs[1] == node.Name + OnnxNames.Weight)
            proto.ClearName();
    }

    /// <summary>Lets a layer read a bias, in the type of its weight; behind a MatMul, which takes none, it is added.</summary>
    private void AddBias(Node node, NodeProto proto, int index, Initializer bias)
    {
        _addedTypes[node.Inputs[2]] = _document.Types.GetValueOrDefault(node.Inputs[1], StorageType.Float32);
        if (proto.OpType == "MatMul")
        {
            string output = proto.Output[0], product = proto.Output[0] = _names.FreeLike(output);
            var sum = new NodeProto { OpType = "Add", Input = { product, "" }, Output = { output } };
            _sums.Add(proto, sum);
            _rewiring.Add(emitter => sum.Input[1] = Written(emitter, node.Inputs[2], bias, isTransposed: false));
            return;
        }
        while (proto.Input.Count < 3)
            proto.Input.Add("");
        Replace(new(index, 2), node.Inputs[2], bias, isTransposed: false);
    }

    /// <summary>Lets an input of a node read a weight of the graph, once it is clear which names are free.</summary>
    private void Replace(DocumentUse use, string name, Initializer weight, bool isTransposed)
    {
        if (!_replaced.Add(use))
            return;
        (NodeProto node, int input) = (_nodes[use.Node], use.Input);
        node.Input[input] = "";
        _rewiring.Add(emitter => node.Input[input] = Written(emitter, name, weight, isTransposed));
    }

    /// <summary>The name of a weight's value in the file, into which it is written once.</summary>
    private string Written(OnnxEmitter emitter, string name, Initializer weight, bool isTransposed)
    {
        string key = isTransposed ? name + "\0T" : name;
        if (!_written.TryGetValue(key, out string? value))
            _written.Add(key, value = isTransposed ? Transposed(emitter, name, weight) : WriteWeight(emitter, name, weight));
        return value;
    }

    private string Transposed(OnnxEmitter emitter, string name, Initializer weight)
    {
        if (!_written.TryGetValue(name, out string? rows))
            _written.Add(name, rows = WriteWeight(emitter, name, weight));
        return emitter.Add("Transpose", [rows], [ListAttribute("perm", 1, 0)]);
    }

    private string WriteWeight(OnnxEmitter emitter, string name, Initializer weight)
    {
        StorageType type = _document.Types.TryGetValue(name, out StorageType own) ? own : _addedTypes.GetValueOrDefault(name, StorageType.Float32);
        string free = emitter.NameLike(name);
        return weight is QuantizedTensor quantized && !_options.Dense
            ? QuantizedWeights.Write(emitter, free, quantized, type)
            : emitter.Initializer(free, (TensorElementType)type, weight.Shape, RawTensor.Encode(weight.ToDense().Span, type));
    }

    /// <summary>Scale and bias that hold the statistics too, or the four parameters where they have changed.</summary>
    private void Normalize(Node node, BatchNormalization norm, NodeProto proto, int index)
    {
        string[] names = [.. node.Inputs.Skip(1)];
        if (!names.All(n => _graph.FindInitializer(n) is not null) || (norm.IsFolded(_graph.FindInitializer(names[2])!, _graph.FindInitializer(names[3])!) && !names.Any(n => HasChanged(n, _graph.FindInitializer(n)!))))
            return;
        bool isPlain = names.All(n => _document.Types.GetValueOrDefault(n, StorageType.Float32) == StorageType.Float32);
        bool isOwn = names.Take(2).All(n => _graph.Nodes.Sum(other => other.Inputs.Count(i => i == n)) == 1);
        if (_options.KeepBatchNormStatistics || !isPlain || !isOwn)
        {
            for (int i = 0; i < names.Length; i++)
                if (_graph.FindInitializer(names[i]) is { } parameter && HasChanged(names[i], parameter))
                    Replace(new(index, i + 1), names[i], parameter, isTransposed: false);
            SetEpsilon(proto, norm.Epsilon);
            return;
        }
        (float[] scale, float[] bias) = norm.Folded([.. names.Select(n => _graph.FindInitializer(n)!)]);
        Replace(new(index, 1), names[0], new DenseTensor(new(scale.Length), scale), isTransposed: false);
        Replace(new(index, 2), names[1], new DenseTensor(new(bias.Length), bias), isTransposed: false);
        proto.Input[3] = proto.Input[4] = "";
        _rewiring.Add(emitter => proto.Input[3] = proto.Input[4] = emitter.SharedZeros(scale.Length));
        SetEpsilon(proto, 1);
    }

    private static void SetEpsilon(NodeProto proto, float epsilon)
    {
        DocumentNames.Keep(proto.Attribute, a => a.Name is not ("epsilon" or "momentum" or "spatial" or "training_mode"));
        if (epsilon != 1e-5f)
            proto.Attribute.Add(Attribute("epsilon", epsilon));
    }

    /// <summary>Leaves out what carries no information.</summary>
    private void Tidy(bool shorten)
    {
        if (!shorten)
            return;
        HashSet<NodeProto> named = new(_graph.Nodes.Where(n => n.Operator is Conv or ConvTranspose or Gemm or MatMul).Select(n => _document.Nodes.GetValueOrDefault(n.Output, -1)).Where(i => i >= 0).Select(i => _nodes[i]), ReferenceEqualityComparer.Instance);
        HashSet<string> untold = new(StringComparer.Ordinal);
        foreach (NodeProto node in _model.Graph.Node)
        {
            if (!named.Contains(node))
                node.ClearName();
            node.ClearDocString();
            DefaultAttributes.Drop(node);
            if (node.Domain is not ("" or "ai.onnx"))
                untold.UnionWith(node.Output);
        }
        foreach (TensorProto tensor in _model.Graph.Initializer)
            tensor.ClearDocString();
        DocumentNames.Keep(_model.Graph.ValueInfo, v => untold.Contains(v.Name));
    }

    /// <summary>An image size that the graph has settled and the document leaves open.</summary>
    public static void FixInputSize(ValueInfoProto input, DocumentInput declared, TensorShape shape)
    {
        int first = declared.Layout switch { ImageLayout.Nchw => 2, ImageLayout.Nhwc or ImageLayout.Chw => 1, _ => 0 };
        if (declared.Layout == ImageLayout.Encoded || input.Type?.TensorType?.Shape is not { } sizes)
            return;
        if (declared.Height < 0 && shape[2] > 0)
            sizes.Dim[first].DimValue = shape[2];
        if (declared.Width < 0 && shape[3] > 0)
            sizes.Dim[first + 1].DimValue = shape[3];
    }

    /// <summary>Brings data from a file beside the document into the message.</summary>
    private static void TakeIn(TensorProto tensor, OnnxTensors tensors)
    {
        if (tensor.DataLocation == 0)
            return;
        tensor.RawData = ByteString.CopyFrom(tensors.Decode(new(tensor.ToByteArray())).Data.Span);
        tensor.ClearDataLocation();
        tensor.ExternalData.Clear();
    }
}
