using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>Reads the state dicts that torch.save writes (.pth, .pt, .th), without Python and without running anything that the file asks for.</summary>
public static class TorchStateDict
{
    /// <summary>What wrappers of a model put before its names: data parallel training and averaging, and torch.compile.</summary>
    private static readonly string[] Wrappers = ["module.", "_orig_mod."];

    /// <summary>A counter that averaging adds to the names.</summary>
    private const string AveragedCounter = "n_averaged";

    /// <summary>Whether the bytes begin as one of torch's two containers does.</summary>
    public static bool Detect(ReadOnlySpan<byte> file) => TorchFile.DetectZip(file) || TorchFile.DetectLegacy(file);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidModelException">It is malformed, or holds anything but a state dict.</exception>
    public static StateDict Read(string path) => Read(File.ReadAllBytes(path), path);

    /// <summary>
    /// Reads the bytes of a file. The state dict is found among the entries of a training checkpoint ("state_dict", "model", "model_state_dict", "net", "ema" and the
    /// like, or the only dictionary of tensors), entries that are not needed stay unread, "module." and "_orig_mod." before every name are removed, and the
    /// checkpoints published with the paper and with "Permute, Quantize, and Fine-tune" become quantized weights with BatchNorm statistics 0 and 1.
    /// </summary>
    /// <param name="file">The whole file.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="InvalidModelException">It is malformed, or holds anything but a state dict.</exception>
    public static StateDict Read(ReadOnlyMemory<byte> file, string source)
    {
        try
        {
            TorchFile container = TorchFile.Open(file);
            PickleDict root = CheckpointContents.Find(container.Root);
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
            return new(source, KillTheBitsCheckpoint.Detect(root) ? KillTheBitsCheckpoint.Read(root, ReadTensor)
                : PqfCheckpoint.Detect(root) ? PqfCheckpoint.Read(root, ReadTensor)
                : Tensors(root, ReadTensor));
        }
        catch (InvalidModelException e)
        {
            throw new InvalidModelException($"{source}: {e.Message}.", e);
        }
    }

    private static IEnumerable<KeyValuePair<string, StateTensor>> Tensors(PickleDict root, Func<string, PickleTensor, RawTensor> read)
    {
        string[] names = [.. root.Where(p => p.Value is PickleTensor && p.Key != AveragedCounter).Select(p => p.Key)];
        int prefix = 0;
        while (names.Length > 0 && Wrappers.FirstOrDefault(w => names.All(n => n.AsSpan(prefix).StartsWith(w, StringComparison.Ordinal))) is { } wrapper)
            prefix += wrapper.Length;
        foreach (string name in names)
            yield return new(name[prefix..], read(name, (PickleTensor)root[name]!).ToState());
    }
}
