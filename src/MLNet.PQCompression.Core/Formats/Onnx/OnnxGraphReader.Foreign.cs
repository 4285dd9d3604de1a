using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Nodes that are kept as the document has them, and what ties the graph's nodes to the document's.</content>
internal sealed partial class OnnxGraphReader
{
    /// <summary>For values worked out from sizes, the activations whose sizes they are.</summary>
    private readonly Dictionary<OnnxValue, ImmutableArray<string>> _sources = new(ReferenceEqualityComparer.Instance);

    /// <summary>Operators that take real numbers only, so that what they read is known to be such.</summary>
    private static bool TakesRealOnly(string type) => type is "Conv" or "ConvTranspose" or "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "Relu" or "Sigmoid" or "Tanh"
        or "Softmax" or "LogSoftmax" or "GlobalAveragePool" or "GlobalMaxPool" or "AveragePool" or "HardSigmoid" or "HardSwish" or "LeakyRelu" or "Elu" or "Selu" or "Celu" or "Softplus" or "LRN"
        or "Exp" or "Log" or "Sqrt" or "Erf" or "Gelu" or "Mish";

    /// <summary>Operators all of whose inputs are of one type, so that one that is known tells of the others.</summary>
    private static bool HasOneType(string type) => type is "Add" or "Sub" or "Mul" or "Div" or "Max" or "Min" or "Sum" or "Mean" or "Concat" or "Gemm" or "MatMul" or "PRelu" or "Clip";

    /// <summary>Operators whose outputs are not of their inputs' type.</summary>
    private static bool ChangesType(string type) => type is "ArgMax" or "ArgMin" or "Shape" or "Size" or "NonZero" or "NonMaxSuppression" or "TopK" or "Unique" or "Equal" or "Greater" or "GreaterOrEqual"
        or "Less" or "LessOrEqual" or "IsNaN" or "IsInf" or "Cast" or "CastLike" or "OneHot" or "Multinomial" or "QuantizeLinear" or "DynamicQuantizeLinear" or "If" or "Loop" or "Scan" or "MaxPool";

    /// <summary>Why a node cannot be translated, as far as that shows without looking at its operator; null where nothing is in the way.</summary>
    private static string? WhyForeign(NodeMessage message, OnnxValue?[] inputs)
    {
        if (!IsStandard(message.Domain))
            return $"the domain '{message.Domain}' is not ONNX's own";
        bool isReal = TakesRealOnly(message.Type);
        foreach (OnnxValue? input in inputs)
            isReal |= HasOneType(message.Type) && (input is Activation { IsReal: true } or Quantized or Lookup or Constant { Tensor.Type: <= TensorElementType.Float64 });
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i] is Opaque)
                return $"its input '{message.Inputs[i]}' is not a tensor of numbers that is known here";
            else if (inputs[i] is Activation { IsReal: false, IsImage: var isImage } && !isReal && !(isImage && message.Type == "Cast") && message.Type is not ("Identity" or "Shape"))
                return $"its input '{message.Inputs[i]}' is not known to be of real numbers";
        return null;
    }

    /// <summary>Takes back what a translation that failed has left.</summary>
    private void Forget(NodeMessage message, int first)
    {
        for (int i = first; i < _nodes.Count; i++)
            _nodeNames.Release(_nodes[i].Name);
        _nodes.RemoveRange(first, _nodes.Count - first);
        foreach (string output in message.Outputs)
            _values.Remove(output);
    }

    private void KeepForeign(NodeMessage message, int index, OnnxValue?[] inputs, string reason)
    {
        var outer = new HashSet<string>(StringComparer.Ordinal);
        SubgraphReads.Collect(message, outer);
        var reads = new List<string>();
        foreach (OnnxValue? input in inputs)
            AddActivations(input, reads);
        foreach (string name in outer)
            AddActivations(_values.GetValueOrDefault(name), reads);
        string[] outputs = [.. message.Outputs.Where(o => o.Length > 0)];
        bool isReal = message.Type == "Cast" ? OnnxTensors.TryType(message.Attributes.Find(a => a.Name == "to")?.Integer ?? 0, out TensorElementType to) && to.IsReal()
            : IsStandard(message.Domain) && !ChangesType(message.Type) && (TakesRealOnly(message.Type) || inputs.Length > 0 && inputs[message.Type == "Where" && inputs.Length > 1 ? 1 : 0] is Activation { IsReal: true });
        foreach (string output in outputs)
            Define(output, reads.Count == 0 ? new Opaque(output) : new Activation(output, null, isReal));
        if (reads.Count == 0)
            return; // The same for every image: whoever reads it is foreign and finds it in the document.
        string domain = IsStandard(message.Domain) ? "" : message.Domain;
        _nodes.Add(new(_nodeNames.Take(OnnxNames.OfNode(message, inputs)), new Foreign(message.Type, domain, reason, message.Attributes.Exists(a => a.Graphs is not null)), [.. reads], outputs[0])
        {
            FurtherOutputs = [.. outputs[1..]],
        });
        _document.Nodes[outputs[0]] = index;
    }

    private void AddActivations(OnnxValue? value, List<string> names)
    {
        if (value is Activation && !names.Contains(value.Name))
            names.Add(value.Name);
        else if (value is not null && _sources.TryGetValue(value, out ImmutableArray<string> sources))
            foreach (string source in sources)
                if (!names.Contains(source))
                    names.Add(source);
    }

    /// <summary>Remembers which of the document's nodes stands behind what has just been translated, and from where it takes weights and sizes.</summary>
    private void Link(NodeMessage message, int index, OnnxValue?[] inputs, int first)
    {
        var sources = new List<string>();
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i] is { } value and not Activation)
            {
                AddActivations(value, sources);
                if (_references.TryGetValue(value, out string? weight))
                    UsesOf(weight).Add(new(index, i));
            }
        for (int i = first; i < _nodes.Count; i++)
        {
            _document.Nodes[_nodes[i].Output] = index;
            if (sources.Count > 0)
                _nodes[i] = _nodes[i] with { ShapeSources = [.. sources] };
        }
        if (_nodes.Count > first)
            return;
        foreach (OnnxValue? input in inputs)
            AddActivations(input, sources);
        if (sources.Count > 0)
            foreach (string output in message.Outputs)
                if (_values.TryGetValue(output, out OnnxValue? made) && made is not Activation)
                    _sources[made] = [.. sources];
    }

    private List<DocumentUse> UsesOf(string weight)
    {
        if (!_document.Uses.TryGetValue(weight, out List<DocumentUse>? uses))
            _document.Uses.Add(weight, uses = []);
        return uses;
    }
}
