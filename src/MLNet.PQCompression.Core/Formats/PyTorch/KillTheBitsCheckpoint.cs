using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>
/// The layout of the checkpoints published with the paper: one dictionary for each layer, quantized layers as centroids and block-major
/// assignments, BatchNorm running statistics already folded into weight and bias.
/// </summary>
internal static class KillTheBitsCheckpoint
{
    public static bool Detect(PickleDict root) =>
        root.Values.OfType<PickleDict>().Any(layer => layer.ContainsKey("centroids") && layer.ContainsKey("assignments"));

    public static IEnumerable<KeyValuePair<string, StateTensor>> Read(PickleDict root, Func<string, PickleTensor, RawTensor> read)
    {
        foreach ((string name, object? value) in root)
        {
            if (value is not PickleDict layer)
                throw new InvalidModelException($"layer '{name}' is not a dictionary");
            if (layer.ContainsKey("centroids"))
            {
                yield return new($"{name}.weight", new WeightTensor(Quantized(name, layer, read)));
                continue;
            }
            var tensors = layer.Where(p => p.Value is PickleTensor)
                .ToDictionary(p => p.Key, p => read($"{name}.{p.Key}", (PickleTensor)p.Value!).ToDense(), StringComparer.Ordinal);
            foreach ((string key, DenseTensor tensor) in tensors)
                yield return new(tensors.Count == 1 && key == "bias" ? BiasName(name) : $"{name}.{key}", new WeightTensor(tensor));
            if (tensors.TryGetValue("weight", out DenseTensor? scale) && tensors.ContainsKey("bias") && scale.Shape.Rank == 1)
                foreach (KeyValuePair<string, StateTensor> statistic in FoldedStatistics.Of(name, scale.Shape))
                    yield return statistic;
        }
    }

    // A layer's bias stands in an entry of its own: fc_bias belongs to fc.
    private static string BiasName(string entry) => (entry.EndsWith("_bias", StringComparison.Ordinal) ? entry[..^"_bias".Length] : entry) + ".bias";

    private static QuantizedTensor Quantized(string name, PickleDict layer, Func<string, PickleTensor, RawTensor> read)
    {
        if (layer["centroids"] is not PickleTensor { Shape.Rank: 2 } centroids || layer.GetValueOrDefault("assignments") is not PickleTensor { Shape.Rank: 1 } assignments
            || layer.GetValueOrDefault("n_blocks") is not long n || layer.GetValueOrDefault("k") is not long kernel || layer.GetValueOrDefault("is_conv") is not bool isConv)
            throw new InvalidModelException($"layer '{name}' lacks centroids, assignments, n_blocks, is_conv or k");
        float[] codebook = read($"{name}.centroids", centroids).ToFloats();
        long[] blockMajor = read($"{name}.assignments", assignments).ToIntegers();
        int d = centroids.Shape[1];
        long area = isConv ? kernel * kernel : 1;
        if (n < 1 || n > blockMajor.Length || blockMajor.Length % n != 0 || kernel is < 1 or > 255 || d == 0 || n * d % area != 0
            || !TensorSize.Fits(blockMajor.Length, d))
            throw new InvalidModelException($"layer '{name}': {blockMajor.Length} assignments, {n} blocks of {d} and a kernel of {kernel} do not fit each other");
        (int blocks, int rows, int columns) = ((int)n, (int)(blockMajor.Length / n), (int)(n * d / area));
        var codes = new ushort[blockMajor.Length];
        for (int block = 0; block < blocks; block++)
            for (int row = 0; row < rows; row++)
                codes[row * blocks + block] = blockMajor[block * rows + row] is >= 0 and <= ushort.MaxValue and var code
                    ? (ushort)code
                    : throw new InvalidModelException($"layer '{name}': the assignment {blockMajor[block * rows + row]} is out of range");
        TensorShape shape = isConv ? new(rows, columns, (int)kernel, (int)kernel) : new(rows, columns);
        try
        {
            return new(shape, d, codebook, codes);
        }
        catch (ArgumentException e)
        {
            throw new InvalidModelException($"layer '{name}': {e.Message}", e);
        }
    }
}
