using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>The name and shape of a graph's input or output; dimension 0 is the batch and -1.</summary>
public sealed record ValueInfo(string Name, TensorShape Shape);

/// <summary>
/// An immutable ConvNet in ONNX terms: one N×C×H×W image input, nodes in topological order, initializers by name. However the document it was read from takes its image
/// (channels last, bytes, without a batch), here it is N×C×H×W.
/// </summary>
public sealed class ModelGraph
{
    private readonly Dictionary<string, Node> _producers;
    private readonly Dictionary<string, Initializer> _initializers;
    private readonly IReadOnlyDictionary<string, string>? _metadata;
    private bool? _hasForeign;
    private ImmutableSortedDictionary<string, Initializer>? _sortedInitializers;
    private ImmutableSortedDictionary<string, string>? _sortedMetadata;

    /// <summary>Creates and checks a graph.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="input">The image input; dimension 0 is -1, H and W may be -1 too.</param>
    /// <param name="outputs">The outputs, at least one. Their shapes are informative and may be scalar (unknown rank).</param>
    /// <param name="nodes">The nodes in topological order.</param>
    /// <param name="initializers">The constants by name.</param>
    /// <param name="metadata">Free-text properties kept in the file (ONNX metadata_props).</param>
    /// <param name="origin">What the graph was read from, where writing it back keeps more than the graph says; null where the graph is all there is.</param>
    /// <exception cref="InvalidModelException">A name is used twice, read before it is made, or missing.</exception>
    public ModelGraph(
        string name, ValueInfo input, ImmutableArray<ValueInfo> outputs, ImmutableArray<Node> nodes,
        IReadOnlyDictionary<string, Initializer> initializers, IReadOnlyDictionary<string, string>? metadata = null, ModelOrigin? origin = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(initializers);
        Name = name;
        Input = input;
        Outputs = outputs;
        Nodes = nodes;
        Origin = origin;
        _initializers = new(initializers, StringComparer.Ordinal);
        _metadata = metadata is null ? null : new Dictionary<string, string>(metadata, StringComparer.Ordinal);
        _producers = Check();
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>The image input, N×C×H×W.</summary>
    public ValueInfo Input { get; }

    /// <summary>The outputs; a classifier has one, the logits.</summary>
    public ImmutableArray<ValueInfo> Outputs { get; }

    /// <summary>The nodes in topological order.</summary>
    public ImmutableArray<Node> Nodes { get; }

    /// <summary>What the graph was read from, or null.</summary>
    public ModelOrigin? Origin { get; }

    /// <summary>The nodes that this library has no kernel for, in order.</summary>
    public IEnumerable<Node> ForeignNodes => Nodes.Where(n => n.Operator is Foreign);

    /// <summary>The constants by name, in ordinal order of their names.</summary>
    public ImmutableSortedDictionary<string, Initializer> Initializers => LazyInitializer.EnsureInitialized(ref _sortedInitializers, () => Sorted(_initializers));

    /// <summary>Free-text properties kept in the file.</summary>
    public ImmutableSortedDictionary<string, string> Metadata =>
        LazyInitializer.EnsureInitialized(ref _sortedMetadata, () => _metadata is null ? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal) : Sorted(_metadata));

    /// <summary>The only output's name.</summary>
    /// <exception cref="InvalidModelException">The model has several outputs.</exception>
    public string OutputName => Outputs.Length == 1
        ? Outputs[0].Name
        : throw new InvalidModelException($"Model '{Name}' has {Outputs.Length} outputs ({string.Join(", ", Outputs.Select(o => o.Name))}); a classifier with one is needed here.");

    /// <summary>The node that makes a value, or null for the input and initializers.</summary>
    public Node? ProducerOf(string value) => _producers.GetValueOrDefault(value);

    /// <summary>Whether some nodes are foreign.</summary>
    internal bool HasForeignNodes => _hasForeign ??= ForeignNodes.Any();

    /// <summary>All values and initializers that a node reads. Sizes that only its document's form takes from other values count where the document runs.</summary>
    internal IEnumerable<string> ReadsOf(Node node) => HasForeignNodes ? node.Inputs.Concat(node.ShapeSources).Distinct() : node.Inputs.Distinct();

    /// <summary>Makes sure that every node has a kernel here.</summary>
    /// <exception cref="UnsupportedOperatorException">Some have none; the message names their operators and what runs them.</exception>
    internal void RequireKernels()
    {
        if (HasForeignNodes)
            throw WithoutKernels();
    }

    /// <summary>What a graph with foreign nodes is refused with; the message names their operators and what runs them.</summary>
    internal UnsupportedOperatorException WithoutKernels()
    {
        Node node = ForeignNodes.First();
        string operators = string.Join(", ", ForeignNodes.Select(n => n.Operator.OnnxName).Distinct().Order(StringComparer.Ordinal));
        return new(node.Operator.OnnxName, node.Name,
            $"{((Foreign)node.Operator).Reason}. Model '{Name}' has operators without a kernel here ({operators}); ONNX Runtime runs them, by way of the package MLNet.PQCompression.OnnxRuntime.");
    }

    /// <summary>The same graph with some initializers replaced or added.</summary>
    public ModelGraph WithInitializers(IEnumerable<KeyValuePair<string, Initializer>> changes) =>
        new(Name, Input, Outputs, Nodes, Initializers.SetItems(changes), Metadata, Origin);

    /// <summary>The same graph with other metadata.</summary>
    public ModelGraph WithMetadata(IReadOnlyDictionary<string, string> metadata) =>
        new(Name, Input, Outputs, Nodes, Initializers, metadata, Origin);

    /// <summary>The constant of a name, or null; unlike <see cref="Initializers"/> it needs no sorted copy of them all.</summary>
    internal Initializer? FindInitializer(string name) => _initializers.GetValueOrDefault(name);

    private static ImmutableSortedDictionary<string, T> Sorted<T>(IEnumerable<KeyValuePair<string, T>> items) => ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, items);

    private Dictionary<string, Node> Check()
    {
        if (Outputs.IsDefaultOrEmpty)
            throw new InvalidModelException($"Model '{Name}' has no output.");
        var producers = new Dictionary<string, Node>(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (_initializers.ContainsKey(Input.Name))
            throw new InvalidModelException($"Model '{Name}': '{Input.Name}' is both the input and an initializer.");
        foreach (Node node in Nodes)
        {
            if (!names.Add(node.Name))
                throw new InvalidModelException($"Model '{Name}' has two nodes named '{node.Name}'.");
            foreach (string value in node.Inputs)
                if (value != Input.Name && !producers.ContainsKey(value) && !_initializers.ContainsKey(value))
                    throw new InvalidModelException($"Model '{Name}': {node} reads '{value}', which no earlier node, initializer or input makes.");
            foreach (string output in node.Outputs)
                if (output == Input.Name || _initializers.ContainsKey(output) || !producers.TryAdd(output, node))
                    throw new InvalidModelException($"Model '{Name}': {node} makes '{output}', a name that is already taken.");
        }
        foreach (ValueInfo output in Outputs)
            if (!producers.ContainsKey(output.Name))
                throw new InvalidModelException($"Model '{Name}': no node makes the output '{output.Name}'.");
        return producers;
    }
}
