namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Endings of initializer names in a compressed model.</summary>
internal static class OnnxNames
{
    /// <summary>Of a codebook, float16 [k, d].</summary>
    public const string Codebook = ".codebook";

    /// <summary>Of the codes, [C_out, m].</summary>
    public const string Codes = ".codes";

    /// <summary>Of a layer's weight; left out before <see cref="Codebook"/> and <see cref="Codes"/>.</summary>
    public const string Weight = ".weight";
}
