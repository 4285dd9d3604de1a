using Google.Protobuf.Collections;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.OnnxEmitter;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Turns one graph into the message of its file.</summary>
internal sealed class OnnxModelBuilder
{
    /// <summary>The first operator set that ONNX Runtime runs.</summary>
    private const int FirstRunOpset = 7;

    // The IR version that came with each operator set from 11 on.
    private static readonly int[] IrVersions = [6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10];

    private readonly ModelGraph _graph;
    private readonly OnnxWriteOptions _options;
    private readonly int _opset;
    private readonly GraphProto _proto = new();
    private readonly OnnxEmitter _emitter;
    private readonly OnnxNodeWriter _writer;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _readers;
    private readonly List<QuantizedTensor> _quantized = [];

    private OnnxModelBuilder(ModelGraph graph, OnnxWriteOptions options)
    {
        (_graph, _options, _opset) = (graph, options, options.Opset ?? OnnxWriteOptions.UsualOpset);
        _readers = graph.Nodes.SelectMany(n => n.Inputs).GroupBy(i => i, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        IEnumerable<string> weights = graph.Nodes.SelectMany(n => Folds(n) ? n.Inputs.Take(3) : n.Inputs).Where(graph.Initializers.ContainsKey);
        _emitter = new(_proto, [graph.Input.Name, .. graph.Outputs.Select(o => o.Name), .. weights], _opset);
        _writer = new(_emitter, _opset);
        _names[graph.Input.Name] = graph.Input.Name;
    }

    public static ModelProto Build(ModelGraph graph, OnnxWriteOptions options)
    {
        ArgumentNullException.ThrowIfNull(graph);
        FiniteWeights.Require(graph);
        if (options.Opset is { } opset)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(opset, OnnxWriteOptions.MinOpset, nameof(options));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(opset, OnnxWriteOptions.MaxOpset, nameof(options));
        }
        else if (graph.Origin is OnnxDocument document)
            return IsOutdated(document, graph) ? Renewed(document, graph, options) : new DocumentWriter(document, graph, options).Write();
        if (graph.ForeignNodes.FirstOrDefault() is { } foreign)
            throw new UnsupportedOperatorException(foreign.Operator.OnnxName, foreign.Name, "it can only be written as its document has it; leave out the operator set");
        return new OnnxModelBuilder(graph, options).Build();
    }

    /// <summary>Whether hardly anything runs a document any more, and nothing in it asks for it to be kept: it takes and gives float32, and every node has a kernel here.</summary>
    private static bool IsOutdated(OnnxDocument document, ModelGraph graph) =>
        document.Opset < FirstRunOpset && document.Input.Layout == ImageLayout.Nchw && document.Input.ElementType == OnnxTensors.Number(TensorElementType.Float32) && !graph.HasForeignNodes;

    /// <summary>The graph in an operator set of today, with the inputs and outputs that the document declares.</summary>
    private static ModelProto Renewed(OnnxDocument document, ModelGraph graph, OnnxWriteOptions options)
    {
        ModelProto model = new OnnxModelBuilder(graph, options).Build();
        GraphProto declared = ModelProto.Parser.ParseFrom(document.File.Span).Graph;
        Declare(model.Graph.Input, declared.Input);
        DocumentWriter.FixInputSize(model.Graph.Input[0], document.Input, graph.Input.Shape);
        Declare(model.Graph.Output, declared.Output);
        return model;
    }

    private static void Declare(RepeatedField<ValueInfoProto> values, RepeatedField<ValueInfoProto> declared)
    {
        for (int i = 0; i < values.Count; i++)
            values[i] = declared.FirstOrDefault(d => d.Name == values[i].Name) ?? values[i];
    }

    private ModelProto Build()
    {
        _proto.Name = _graph.Name.Length > 0 ? _graph.Name : "model";
        foreach (Node node in _graph.Nodes)
        {
            string? output = _graph.Outputs.Any(o => o.Name == node.Output) ? node.Output : null;
            _names[node.Output] = node.Operator is BatchNormalization norm ? Normalize(node, norm, output) : Write(node, output);
        }
        _proto.Input.Add(Describe(_graph.Input));
        foreach (ValueInfo output in _graph.Outputs)
            _proto.Output.Add(Describe(output));
        var model = new ModelProto
        {
            IrVersion = IrVersions[_opset - OnnxWriteOptions.MinOpset],
            ProducerName = "MLNet.PQCompression",
            Graph = _proto,
            OpsetImport = { new OperatorSetIdProto { Version = _opset } },
        };
        foreach ((string key, string value) in _graph.Metadata.Where(m => m.Key != WeightDigest.MetadataKey))
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        if (WeightDigest.Of(_quantized) is { } digest)
            model.MetadataProps.Add(new StringStringEntryProto { Key = WeightDigest.MetadataKey, Value = digest });
        return model;
    }

    private static ValueInfoProto Describe(ValueInfo value)
    {
        var type = new TypeProto.Types.Tensor { ElemType = OnnxTensors.Number(TensorElementType.Float32) };
        if (value.Shape.Rank > 0)
            type.Shape = new();
        string[] axes = ["N", "C", "H", "W"];
        for (int i = 0; i < value.Shape.Rank; i++)
            type.Shape!.Dim.Add(value.Shape[i] >= 0 ? new TensorShapeProto.Types.Dimension { DimValue = value.Shape[i] }
                : i < axes.Length ? new TensorShapeProto.Types.Dimension { DimParam = axes[i] }
                : new());
        return new() { Name = value.Name, Type = new() { TensorType = type } };
    }

    /// <summary>The name in the file of a value that a node reads; a weight is written on first use.</summary>
    private string Name(string value)
    {
        if (_names.TryGetValue(value, out string? name))
            return name;
        Initializer weight = _graph.Initializers[value];
        if (weight is QuantizedTensor kept && !_options.Dense)
            _quantized.Add(kept);
        return _names[value] = weight is QuantizedTensor quantized && !_options.Dense
            ? QuantizedWeights.Write(_emitter, value, quantized)
            : Dense(value, weight.Shape, weight.ToDense().Span);
    }

    private string Dense(string name, TensorShape shape, ReadOnlySpan<float> values) =>
        _emitter.Initializer(name, TensorElementType.Float32, shape, RawTensor.Encode(values, StorageType.Float32));

    private string Write(Node node, string? output)
    {
        if (node.Operator is Softmax softmax && _opset < 13)
            RequireMatrix(node, softmax);
        return _writer.Write(node, [.. node.Inputs.Select(Name)], output, NodeName(node));
    }

    // Before operator set 13 a softmax took all dimensions from its axis on together.
    private void RequireMatrix(Node node, Softmax softmax)
    {
        TensorShape input = new([1, .. _graph.Input.Shape.Dimensions.Skip(1).Select(d => d < 0 ? 224 : d)]);
        TensorShape shape = ShapeInference.Infer(_graph, input)[node.Inputs[0]];
        if (shape.Dimensions.Skip(softmax.Axis + 1).Any(d => d != 1))
            throw new UnsupportedOperatorException("Softmax", node.Name, $"along dimension {softmax.Axis} of {shape} it needs operator set 13, not {_opset}");
    }

    /// <summary>The names of layers are written only where the reader would not find them in the weight's name.</summary>
    private string? NodeName(Node node) =>
        node.Operator is not (Conv or ConvTranspose or Gemm or MatMul) || node.Inputs[1] == node.Name + OnnxNames.Weight ? null : node.Name;

    /// <summary>Whether a BatchNormalization's statistics go into its scale and bias, which no other node may read then.</summary>
    private bool Folds(Node node) => node.Operator is BatchNormalization && !_options.KeepBatchNormStatistics
        && node.Inputs.Skip(1).All(_graph.Initializers.ContainsKey) && _readers[node.Inputs[1]] == 1 && _readers[node.Inputs[2]] == 1;

    private string Normalize(Node node, BatchNormalization norm, string? output)
    {
        if (!Folds(node))
            return _writer.Write(node, [.. node.Inputs.Select(Name)], output, null);
        (float[] scale, float[] bias) = norm.Folded([.. node.Inputs.Skip(1).Select(i => _graph.Initializers[i])]);
        var width = new TensorShape(scale.Length);
        // With mean 0, variance 0 and ε = 1 what remains is scale·x + bias, and one vector of zeros serves all layers of a width.
        string zeros = _emitter.SharedZeros(scale.Length);
        return _emitter.Add(
            "BatchNormalization",
            [Name(node.Inputs[0]), Dense(node.Inputs[1], width, scale), Dense(node.Inputs[2], width, bias), zeros, zeros],
            [Attribute("epsilon", 1f)], output);
    }
}
