using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Reads ONNX models of one image input; others are constants (<see cref="OnnxInputs"/>). Constant inputs become attributes, constants are folded, padding becomes explicit and axes non-negative. A weight that is looked
/// up in a codebook, as <see cref="OnnxWriter"/> writes it, stays a <see cref="QuantizedTensor"/>. A node that has no <see cref="Operator"/> here becomes a
/// <see cref="Foreign"/> one; no model is refused for it. The graph keeps its document (<see cref="OnnxDocument"/>).
/// </summary>
public static class OnnxReader
{
    /// <summary>Reads a file; tensors kept in files beside it are found.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inputs">Which input is the image, and what the others are given; null finds it out.</param>
    /// <exception cref="InvalidModelException">The file is malformed.</exception>
    public static ModelGraph Read(string path, OnnxInputs? inputs = null) => Read(File.ReadAllBytes(path), path, Path.GetDirectoryName(Path.GetFullPath(path)), inputs: inputs);

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">The model.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InvalidModelException">The model is malformed.</exception>
    public static ModelGraph Read(Stream stream, string source)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var copy = new MemoryStream();
        stream.CopyTo(copy);
        return Read(copy.GetBuffer().AsMemory(0, (int)copy.Length), source);
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <param name="folder">Where files with external tensors lie, or null if there are none.</param>
    /// <exception cref="InvalidModelException">The model is malformed, or its compressed weights have changed since they were written.</exception>
    /// <param name="verify">Whether codes and codebooks are held to the SHA-256 that <see cref="OnnxWriter"/> put into the file; a file without one is read as it is.</param>
    /// <param name="inputs">Which input is the image, and what the others are given; null finds it out.</param>
    public static ModelGraph Read(ReadOnlyMemory<byte> file, string source, string? folder = null, bool verify = true, OnnxInputs? inputs = null)
    {
        ModelMessage model;
        try
        {
            model = new(file);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidModelException($"{source} is not a model in a known format (ONNX, safetensors, PyTorch state dict), or is truncated.", e);
        }
        if (model.Graph is null)
            throw new InvalidModelException($"{source} is not a model in a known format (ONNX, safetensors, PyTorch state dict): it has no graph.");
        if (verify)
            WeightDigest.Prepare(model);
        try
        {
            return new OnnxGraphReader(model, model.Graph, new(folder), file, folder, verify, inputs ?? new()).Read();
        }
        catch (Exception e) when (e is InvalidModelException or InvalidDataException or ArgumentException or OverflowException)
        {
            throw new InvalidModelException($"{source}: {e.Message}", e);
        }
    }
}
