using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>One operation of a <see cref="ModelGraph"/>. An operator of this library has exactly one output; a <see cref="Foreign"/> one may have several.</summary>
/// <param name="Name">A name unique in the graph, as the model file gave it or made from its output.</param>
/// <param name="Operator">What the node computes, with its attributes.</param>
/// <param name="Inputs">Names of the values and initializers it reads, in ONNX order: a convolution's are x, weight and, optionally, bias.</param>
/// <param name="Output">The name of the value it makes.</param>
public sealed record Node(string Name, Operator Operator, ImmutableArray<string> Inputs, string Output)
{
    /// <summary>The values that a foreign node makes besides.</summary>
    public ImmutableArray<string> FurtherOutputs { get; init; } = [];

    /// <summary>
    /// Values whose sizes the node's form in its document reads besides its inputs, such as what a Reshape takes its shape from. Here the sizes have become attributes, so only what runs the document needs these.
    /// </summary>
    public ImmutableArray<string> ShapeSources { get; init; } = [];

    /// <summary>All values it makes.</summary>
    public ImmutableArray<string> Outputs => FurtherOutputs.IsEmpty ? [Output] : [Output, .. FurtherOutputs];

    /// <summary>"Conv layer1.0.conv1", for messages.</summary>
    public override string ToString() => $"{Operator.OnnxName} '{Name}'";
}
