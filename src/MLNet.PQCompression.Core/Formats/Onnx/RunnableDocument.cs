using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>A graph's document with the graph's weights and constants for the inputs besides its image, from which parts can be taken that run by themselves.</summary>
internal sealed class RunnableDocument
{
    private const int LeastIr = 4; // From here on initializers need not be inputs.

    private readonly ModelProto _model;
    private readonly Dictionary<string, int> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers;

    /// <exception cref="InvalidModelException">The graph comes from no document.</exception>
    public RunnableDocument(ModelGraph graph)
    {
        (Graph, Document) = (graph, graph.Origin as OnnxDocument ?? throw new InvalidModelException($"Model '{graph.Name}' was not read from ONNX, so there is no document of it to run."));
        _model = new DocumentWriter(Document, graph, new()).WriteForRunning();
        DocumentNames.Keep(_model.Graph.Input, i => !Document.OtherInputs.ContainsKey(i.Name));
        _model.Graph.Initializer.AddRange(Document.OtherInputs.Select(i => OnnxTensors.ToProto(i.Key, i.Value)));
        _initializers = _model.Graph.Initializer.ToDictionary(t => t.Name, StringComparer.Ordinal);
        for (int i = 0; i < _model.Graph.Node.Count; i++)
            foreach (string output in _model.Graph.Node[i].Output)
                if (output.Length > 0)
                    _producers[output] = i;
    }

    public ModelGraph Graph { get; }

    public OnnxDocument Document { get; }

    /// <summary>The model, by which every value that depends on the image is given out too.</summary>
    /// <param name="values">Those values by their names in the document.</param>
    public byte[] WithAllValues(out IReadOnlyList<string> values)
    {
        HashSet<string> outputs = [.. _model.Graph.Output.Select(o => o.Name)];
        string[] added = [.. Document.Values.Keys.Where(v => _producers.ContainsKey(v) && !outputs.Contains(v))];
        values = [.. outputs, .. added];
        ModelProto whole = Shell();
        whole.Graph = new GraphProto { Name = "values" };
        whole.Graph.MergeFrom(_model.Graph);
        whole.Graph.Output.AddRange(added.Select(v => new ValueInfoProto { Name = v }));
        return whole.ToByteArray();
    }

    /// <summary>The whole model.</summary>
    public byte[] ToBytes() => _model.ToByteArray();

    /// <summary>The part of the document that makes some values of the graph from others.</summary>
    /// <param name="nodes">The graph's nodes that may run.</param>
    /// <param name="wanted">Values that they make.</param>
    /// <param name="elementType">ONNX's number of the element type of a value of the document.</param>
    /// <param name="rank">How many dimensions a value of the graph has, or null to say nothing of shapes.</param>
    /// <param name="inputs">What the part reads: a value of the document, and the graph's value that it is.</param>
    public byte[] Cut(IReadOnlyList<Node> nodes, IReadOnlyCollection<string> wanted, Func<string, int> elementType, Func<string, int>? rank, out IReadOnlyList<(string Value, string Source)> inputs)
    {
        HashSet<string> made = [.. nodes.SelectMany(n => n.Outputs)];
        var reads = new List<(string, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var running = new SortedSet<int>();
        var part = new GraphProto { Name = "part" };
        var open = new Stack<string>(wanted);
        while (open.TryPop(out string? name))
        {
            if (name.Length == 0 || !seen.Add(name))
                continue;
            if (_initializers.TryGetValue(name, out TensorProto? initializer))
                part.Initializer.Add(initializer);
            else if (Document.Values.TryGetValue(name, out string? source) && !made.Contains(source))
            {
                reads.Add((name, source));
                var type = new TypeProto.Types.Tensor { ElemType = elementType(name) };
                if (rank is not null && source != Graph.Input.Name)
                {
                    type.Shape = new();
                    type.Shape.Dim.AddRange(Enumerable.Range(0, rank(source)).Select(_ => new TensorShapeProto.Types.Dimension()));
                }
                part.Input.Add(new ValueInfoProto { Name = name, Type = new() { TensorType = type } });
            }
            else if (_producers.TryGetValue(name, out int producer) && running.Add(producer))
                foreach (string read in DocumentNames.ReadsOf(_model.Graph.Node[producer]))
                    open.Push(read);
        }
        part.Node.AddRange(running.Select(i => _model.Graph.Node[i]));
        part.Output.AddRange(wanted.Select(w => new ValueInfoProto { Name = w }));
        inputs = reads;
        ModelProto cut = Shell();
        cut.Graph = part;
        return cut.ToByteArray();
    }

    /// <summary>The model without its graph.</summary>
    private ModelProto Shell()
    {
        GraphProto graph = _model.Graph;
        _model.Graph = null;
        ModelProto shell = _model.Clone();
        _model.Graph = graph;
        shell.IrVersion = Math.Max(LeastIr, shell.IrVersion);
        shell.MetadataProps.Clear();
        return shell;
    }
}
