using System.Collections.Immutable;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Which input of an ONNX model is its image, and what its other inputs are given.</summary>
/// <param name="Image">The name of the image input; null finds it: the only one that can be an image.</param>
public sealed record OnnxInputs(string? Image = null)
{
    /// <summary>
    /// Values of other inputs by name, one for all elements or as many as there are. What is left out is taken from the name: 1 for a scale, height and width of the image for a shape or size of two
    /// elements. Where neither tells, the model is refused with a message that names the input.
    /// </summary>
    public ImmutableDictionary<string, ImmutableArray<float>> Values { get; init; } = ImmutableDictionary.Create<string, ImmutableArray<float>>(StringComparer.Ordinal);
}
