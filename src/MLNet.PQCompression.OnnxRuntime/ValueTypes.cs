using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>The types of all values of a document, as ONNX Runtime infers them.</summary>
internal sealed class ValueTypes
{
    private readonly RunnableDocument _document;
    private readonly byte[] _model;
    private readonly IReadOnlyList<string> _values;
    private readonly Dictionary<string, TensorElementType?> _types = new(StringComparer.Ordinal);

    /// <exception cref="InvalidModelException">ONNX Runtime refuses the document.</exception>
    public ValueTypes(RunnableDocument document)
    {
        _document = document;
        _model = document.WithAllValues(out _values);
        using OrtSession session = Load();
        foreach ((string name, NodeMetadata value) in session.OutputMetadata.Concat(session.InputMetadata))
            _types[name] = value.IsTensor ? value.ElementDataType : null;
    }

    /// <summary>The element type of a value of the document.</summary>
    /// <exception cref="InvalidModelException">It is no tensor.</exception>
    public TensorElementType Of(string value) => _types.GetValueOrDefault(value)
        ?? throw new InvalidModelException($"Model '{_document.Graph.Name}': the value '{value}' is no tensor, so a layer cannot stand between what makes it and what reads it.");

    /// <summary>Runs the document on images and tells of each value of the graph what it is.</summary>
    public IReadOnlyDictionary<string, ValueFacts> Measure(Activation images)
    {
        using OrtSession session = Load();
        using var run = new RunOptions();
        using OrtValue input = ImageFeed.ToOrt(images, _document.Document.Input);
        using IDisposableReadOnlyCollection<OrtValue> outputs = OrtSessions.Guard(_document.Graph, () => session.Run(run, [_document.Document.Input.Name], [input], [.. _values]));
        var facts = new Dictionary<string, ValueFacts>(StringComparer.Ordinal)
        {
            [_document.Graph.Input.Name] = new(true, images.Shape),
        };
        for (int i = 0; i < _values.Count; i++)
            if (_document.Document.Values.TryGetValue(_values[i], out string? name))
                facts[name] = outputs[i].IsTensor ? new(OrtTensors.IsReal(outputs[i].GetTensorTypeAndShape().ElementDataType), OrtTensors.ShapeOf(outputs[i].GetTensorTypeAndShape())) : new(false, new());
        return facts;
    }

    private OrtSession Load() => OrtSessions.Load(_document.Graph, _model, 0, optimize: false);
}
