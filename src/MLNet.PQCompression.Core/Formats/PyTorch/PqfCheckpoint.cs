using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>
/// The layout of the checkpoints of "Permute, Quantize, and Fine-tune" (Martinez et al., CVPR 2021): a flat dictionary in which a quantized weight X is
/// <c>X.codes_matrix</c> [C_out, m] and <c>X.codebook</c> [k, d], and BatchNorm running statistics are folded into weight and bias.
/// </summary>
/// <remarks>The kernel's size is not recorded, so a weight comes as the matrix [C_out, m·d]; its architecture knows the shape.</remarks>
internal static class PqfCheckpoint
{
    private const string Codes = ".codes_matrix", Codebook = ".codebook", Scale = ".weight";

    public static bool Detect(PickleDict root) => root.Any(p => p.Value is PickleTensor && p.Key.EndsWith(Codes, StringComparison.Ordinal));

    public static IEnumerable<KeyValuePair<string, StateTensor>> Read(PickleDict root, Func<string, PickleTensor, RawTensor> read)
    {
        foreach ((string name, object? value) in root)
        {
            if (value is not PickleTensor tensor || name.EndsWith(Codebook, StringComparison.Ordinal) && root.ContainsKey(name[..^Codebook.Length] + Codes))
                continue;
            if (name.EndsWith(Codes, StringComparison.Ordinal))
            {
                string layer = name[..^Codes.Length];
                yield return new(layer + Scale, new WeightTensor(Quantized(layer, tensor, root.GetValueOrDefault(layer + Codebook) as PickleTensor, read)));
                continue;
            }
            StateTensor plain = read(name, tensor).ToState();
            yield return new(name, plain);
            if (plain is WeightTensor { Shape.Rank: 1 } && name.EndsWith(Scale, StringComparison.Ordinal) && !root.ContainsKey(name[..^Scale.Length] + ".running_mean"))
                foreach (KeyValuePair<string, StateTensor> statistic in FoldedStatistics.Of(name[..^Scale.Length], plain.Shape))
                    yield return statistic;
        }
    }

    private static QuantizedTensor Quantized(string layer, PickleTensor codes, PickleTensor? codebook, Func<string, PickleTensor, RawTensor> read)
    {
        if (codebook is not { Shape.Rank: 2 } || codes.Shape.Rank != 2)
            throw new InvalidModelException($"layer '{layer}' needs a codes_matrix [C_out, m] and a codebook [k, d], not {codes.Shape} and {codebook?.Shape.ToString() ?? "none"}");
        float[] codewords = read(layer + Codebook, codebook).ToFloats();
        long[] numbers = read(layer + Codes, codes).ToIntegers();
        (int rows, int blocks, int d) = (codes.Shape[0], codes.Shape[1], codebook.Shape[1]);
        if (d == 0 || !TensorSize.Fits(rows, (long)blocks * d) || numbers.AsSpan().ContainsAnyExceptInRange(0, ushort.MaxValue))
            throw new InvalidModelException($"layer '{layer}': a code is negative, or {rows}×{blocks} codes and codewords of {d} values do not fit each other");
        try
        {
            return new(new(rows, blocks * d), d, codewords, Array.ConvertAll(numbers, n => (ushort)n));
        }
        catch (ArgumentException e)
        {
            throw new InvalidModelException($"layer '{layer}': {e.Message}", e);
        }
    }
}
