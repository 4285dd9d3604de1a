using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>An input besides the image, as the constant that it is for every image. The document keeps the input; only what runs here is given the constant.</summary>
internal static class OtherInput
{
    /// <summary>The most elements that are folded into the graph: sizes and factors, not weights.</summary>
    public const int MostFolded = 16;

    private const int MostElements = 1 << 20;

    /// <summary>The input's value.</summary>
    /// <param name="input">The input.</param>
    /// <param name="image">The image input.</param>
    /// <param name="values">What the caller gives.</param>
    /// <exception cref="InvalidModelException">Its type is not known, too few or too many values are given, or none and its name tells none.</exception>
    public static RawTensor ValueOf(ValueInfoMessage input, DocumentInput image, OnnxInputs values)
    {
        if (!OnnxTensors.TryType(input.ElementType, out TensorElementType type))
            throw new InvalidModelException($"its input '{input.Name}' is beside the image '{image.Name}' and no tensor of numbers; only such are given constants");
        TensorShape shape = RawTensor.ShapeOf([.. Enumerable.Range(0, input.Dimensions?.Count ?? 0).Select(i => Math.Max(1, input.Dimensions![i]))]);
        if (shape.Count > MostElements)
            throw new InvalidModelException($"its input '{input.Name}' of {shape} is beside the image '{image.Name}'; a constant of at most {MostElements} elements can be given");
        float[] given = values.Values.TryGetValue(input.Name, out ImmutableArray<float> own) ? [.. own] : Usual(input.Name, shape, image)
            ?? throw new InvalidModelException($"its input '{input.Name}' of {shape} is beside the image '{image.Name}', and what to give it is not known; state it ({nameof(OnnxInputs)}.{nameof(OnnxInputs.Values)}, --input-value {input.Name}=V,V), or name another image input ({nameof(OnnxInputs.Image)}, --input)");
        if (given.Length != 1 && given.Length != shape.Count)
            throw new InvalidModelException($"its input '{input.Name}' of {shape} takes {shape.Count} values, not {given.Length}");
        float[] all = [.. Enumerable.Range(0, (int)shape.Count).Select(i => given[i % given.Length])];
        return new(type, shape, type.IsReal() ? RawTensor.Encode(all, (StorageType)type) : RawTensor.Encode(Array.ConvertAll(all, v => (long)v), type));
    }

    private static float[]? Usual(string name, TensorShape shape, DocumentInput image)
    {
        if (name.Contains("scale", StringComparison.OrdinalIgnoreCase))
            return [1];
        bool isSize = name.Contains("shape", StringComparison.OrdinalIgnoreCase) || name.Contains("size", StringComparison.OrdinalIgnoreCase);
        return isSize && shape.Count == 2 && image is { Height: > 0, Width: > 0 } ? [image.Height, image.Width] : null;
    }
}
