using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.PyTorch;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Formats.TorchSharp;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats;

/// <summary>Reads a trained network from any of the formats known here. The content decides, not the file's extension.</summary>
public static class ModelFile
{
    /// <summary>Reads ONNX (compressed models too), or a state dict: safetensors, PyTorch's two containers, what TorchSharp saves, the checkpoints published with the paper.</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">For a state dict, which network it belongs to; null finds out from names and shapes. ONNX files carry their structure.</param>
    /// <param name="inputs">For an ONNX model of several inputs, which is the image and what the others are given; null finds it out.</param>
    /// <exception cref="InvalidModelException">The file is malformed, of no known format, or does not fit the architecture.</exception>
    /// <exception cref="UnsupportedOperatorException">The model uses operators that this library does not compute.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ModelGraph Load(string path, string? architecture = null, OnnxInputs? inputs = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] file = ReadAll(path);
        StateDict? state = SafetensorsFile.Detect(file) ? SafetensorsFile.Read(file, path)
            : TorchStateDict.Detect(file) ? TorchStateDict.Read(file, path)
            : TorchSharpStateDict.Detect(file) ? TorchSharpStateDict.Read(file, path)
            : null;
        if (state is not null)
            return (architecture is null ? Architecture.Detect(state) : Architecture.Find(architecture)).Build(state);
        if (architecture is not null)
            throw new InvalidModelException($"{path} is not a state dict, so the architecture '{architecture}' cannot apply; leave it out.");
        return OnnxReader.Read(file, path, Path.GetDirectoryName(Path.GetFullPath(path)), inputs: inputs);
    }

    private static byte[] ReadAll(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (IOException e) when (new FileInfo(path) is { Exists: true } file && file.Length > Array.MaxLength)
        {
            throw new InvalidModelException($"{path} has {file.Length} bytes; at most {Array.MaxLength} are read.", e);
        }
    }
}
