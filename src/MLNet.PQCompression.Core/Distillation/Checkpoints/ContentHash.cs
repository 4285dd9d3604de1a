using System.Security.Cryptography;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Checkpoints;

/// <summary>Hashes of what a run depends on.</summary>
public static class ContentHash
{
    /// <summary>The SHA-256 of a graph as ONNX, structure and weights, in hexadecimal.</summary>
    public static string Of(ModelGraph graph)
    {
        using var content = new MemoryStream();
        OnnxWriter.Write(graph, content);
        return Convert.ToHexStringLower(SHA256.HashData(content.GetBuffer().AsSpan(0, (int)content.Length)));
    }
}
