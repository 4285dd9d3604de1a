namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>How initializers of a compressed model end, and what a node is called.</summary>
internal static class OnnxNames
{
    /// <summary>Of a codebook, float16 [k, d].</summary>
    public const string Codebook = ".codebook";

    /// <summary>Of the codes, [C_out, m].</summary>
    public const string Codes = ".codes";

    /// <summary>Of a layer's weight; left out before <see cref="Codebook"/> and <see cref="Codes"/>.</summary>
    public const string Weight = ".weight";

    /// <summary>A node's name; without one the name of its weight before ".weight", or its output.</summary>
    public static string OfNode(NodeMessage message, OnnxValue?[] inputs)
    {
        if (message.Name.Length > 0)
            return message.Name;
        string? weight = inputs.Length > 1 && inputs[1] is Constant or Quantized ? inputs[1]!.Name : null;
        return weight is not null && weight.EndsWith(Weight, StringComparison.Ordinal) ? weight[..^Weight.Length] : message.Outputs[0];
    }
}
