using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// The ONNX model that a graph was read from. It is the truth when the graph is written: <see cref="OnnxWriter"/> replaces its weights and leaves all else as it is.
/// </summary>
public sealed class OnnxDocument : ModelOrigin
{
    internal OnnxDocument(ReadOnlyMemory<byte> file, string? folder, DocumentInput input) => (File, Folder, Input) = (file, folder, input);

    /// <summary>How the model takes its image.</summary>
    public DocumentInput Input { get; }

    /// <inheritdoc/>
    public override int? FixedBatch => Input.Batch;

    /// <summary>The operator set.</summary>
    internal int Opset { get; init; }

    /// <summary>The ModelProto.</summary>
    internal ReadOnlyMemory<byte> File { get; }

    /// <summary>Where files with external tensors lie, or null.</summary>
    internal string? Folder { get; }

    /// <summary>The inputs besides the image, and the constants that they are given where the document runs.</summary>
    internal Dictionary<string, RawTensor> OtherInputs { get; } = new(StringComparer.Ordinal);

    /// <summary>The graph's initializers as they were read; others in a graph of this document have been replaced.</summary>
    internal IReadOnlyDictionary<string, Initializer> Weights { get; set; } = new Dictionary<string, Initializer>();

    /// <summary>The element type in which the document's nodes read each of <see cref="Weights"/>.</summary>
    internal Dictionary<string, StorageType> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the document's nodes read what the graph calls by a name of <see cref="Weights"/>.</summary>
    internal Dictionary<string, List<DocumentUse>> Uses { get; } = new(StringComparer.Ordinal);

    /// <summary>The document's node behind the graph's node that makes a value, by the value's name.</summary>
    internal Dictionary<string, int> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>The graph's name for each value of the document that depends on the image.</summary>
    internal Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>An input of a node of a document.</summary>
/// <param name="Node">The node's place in the document.</param>
/// <param name="Input">The input's place in the node.</param>
internal readonly record struct DocumentUse(int Node, int Input);
