using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>Reads the state dicts that torch.save writes (.pth, .pt, .th), without Python and without running anything that the file asks for.</summary>
public static class TorchStateDict
{
    private const string ParallelPrefix = "module.";

    /// <summary>Whether the bytes begin as one of torch's two containers does.</summary>
    public static bool Detect(ReadOnlySpan<byte> file) => TorchFile.DetectZip(file) || TorchFile.DetectLegacy(file);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidModelException">It is malformed, or holds anything but a state dict.</exception>
    public static StateDict Read(string path) => Read(File.ReadAllBytes(path), path);

    /// <summary>
    /// Reads the bytes of a file. A state dict under the key "state_dict" or "model" is found, "module." before every name is removed, and the checkpoints
    /// published with the paper become quantized weights with BatchNorm statistics 0 and 1.
    /// </summary>
    /// <param name="file">The whole file.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InvalidModelException">It is malformed, or holds anything but a state dict.</exception>
    public static StateDict Read(ReadOnlyMemory<byte> file, string source)
    {
        try
        {
            TorchFile container = TorchFile.Open(file);
            PickleDict root = Find(container.Root);
            RawTensor ReadTensor(string name, PickleTensor tensor)
            {
                try
                {
                    return container.Read(tensor);
                }
                catch (InvalidModelException e)
                {
                    throw new InvalidModelException($"tensor '{name}': {e.Message}", e);
                }
            }
            return new(source, KillTheBitsCheckpoint.Detect(root) ? KillTheBitsCheckpoint.Read(root, ReadTensor) : Tensors(root, ReadTensor));
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"{source}: {e.Message}.", e);
        }
    }

    private static PickleDict Find(object? root)
    {
        foreach (string key in (string[])["state_dict", "model"])
            if (root is PickleDict outer && outer.GetValueOrDefault(key) is PickleDict { Count: > 0 } inner)
                return inner;
        return root as PickleDict ?? throw new InvalidModelException("it does not hold a dictionary of tensors");
    }

    private static IEnumerable<KeyValuePair<string, StateTensor>> Tensors(PickleDict root, Func<string, PickleTensor, RawTensor> read)
    {
        int prefix = root.Count > 0 && root.Keys.All(k => k.StartsWith(ParallelPrefix, StringComparison.Ordinal)) ? ParallelPrefix.Length : 0;
        foreach ((string name, object? value) in root)
            yield return value is PickleTensor tensor
                ? new(name[prefix..], read(name, tensor).ToState())
                : throw new InvalidModelException($"its entry '{name}' is not a tensor, so it is not a state dict");
    }
}
