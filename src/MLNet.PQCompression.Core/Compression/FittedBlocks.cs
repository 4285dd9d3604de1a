using System.Collections.Immutable;
using System.Numerics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>The blocks and codewords with the most bits for each weight in the bytes that others would take, and in what a network can spare.</summary>
/// <remarks>
/// A codebook costs the same in every layer. 64×64 weights in blocks of 4 are 1,024 bytes of codes behind 2,048 of codewords; in blocks of 2 they are 2,048 behind 1,024, and twice as many bits describe each
/// weight. Large layers are all codes, and keep their blocks. Of layers in between the smallest get finer blocks from a fortieth of all bytes: an error counts in the outputs however few weights it comes from.
/// </remarks>
internal static class FittedBlocks
{
    /// <summary>The least codebook that is worth its name.</summary>
    private const int LeastCodewords = 8;

    /// <summary>What layers may take beyond their bytes, as a share of all that is quantized.</summary>
    private const double SpareShare = 0.025;

    /// <summary>Gives the smallest layers that may have finer blocks (<see cref="LayerPlan.MostCodewords"/>) such, as far as the spare bytes go.</summary>
    /// <param name="layers">The layers of a network.</param>
    /// <param name="geometry">The rows of a layer.</param>
    public static ImmutableArray<LayerPlan> SpendSpare(ImmutableArray<LayerPlan> layers, Func<LayerPlan, LayerGeometry> geometry)
    {
        var spare = (long)(SpareShare * layers.Where(l => l.IsQuantized).Sum(l => l.PaperBytes));
        LayerPlan[] planned = [.. layers];
        foreach (int i in Enumerable.Range(0, planned.Length).Where(i => planned[i].MostCodewords > 0).OrderBy(i => planned[i].PaperBytes))
        {
            LayerPlan layer = planned[i];
            if (Of(layer.Shape, geometry(layer), layer.BlockSize, layer.Codewords, layer.MostCodewords, spare) is not { } finer)
                continue;
            planned[i] = layer with { BlockSize = finer.BlockSize, Codewords = finer.Codewords, Reason = $"{layer.Reason}, finer than d = {layer.BlockSize} from spare bytes" };
            spare -= FileBytes(layer.Shape, finer.BlockSize, finer.Codewords) - FileBytes(layer.Shape, layer.BlockSize, layer.Codewords);
        }
        return [.. planned];
    }

    /// <summary>The finer blocks, or null where none fit.</summary>
    /// <param name="shape">The weight's shape.</param>
    /// <param name="geometry">Its rows.</param>
    /// <param name="blockSize">d of the blocks whose bytes may be taken.</param>
    /// <param name="codewords">Their k.</param>
    /// <param name="most">The most codewords that are wanted.</param>
    /// <param name="spare">Bytes that may be taken beyond those.</param>
    public static (int BlockSize, int Codewords)? Of(TensorShape shape, LayerGeometry geometry, int blockSize, int codewords, int most, long spare = 0)
    {
        int area = geometry.Window is { } window ? window.KernelHeight * window.KernelWidth : 1;
        (int, int)? best = null;
        double rate = Rate(blockSize, codewords);
        for (int d = 2; d < blockSize; d++)
        {
            if (geometry.RowLength % d != 0 || (area > 1 && area % d != 0))
                continue;
            int k = MostCodewords(shape, d, most, spare + FileBytes(shape, blockSize, codewords), spare + PaperAccounting.WeightBytes(shape.Count / blockSize, blockSize, codewords));
            if (k < LeastCodewords || Rate(d, k) <= rate)
                continue;
            (best, rate) = ((d, k), Rate(d, k));
        }
        return best;
    }

    /// <summary>Bytes of a quantized weight in the file: codes of a byte, bit planes above 8 bits, float16 codewords.</summary>
    public static long FileBytes(TensorShape shape, int blockSize, int codewords)
    {
        long blocks = shape.Count / blockSize;
        int bits = BitOperations.Log2((uint)Math.Max(1, codewords - 1)) + 1;
        return blocks + (bits > 8 ? (bits - 8) * ((blocks + 7) / 8) : 0) + 2L * blockSize * codewords;
    }

    /// <summary>The most codewords that stay within both counts of bytes, with four blocks to each at least (paper, section 4.1); 0 where none do.</summary>
    private static int MostCodewords(TensorShape shape, int blockSize, int most, long fileBytes, long paperBytes)
    {
        for (int k = (int)Math.Min(most, shape.Count / blockSize / 4); k >= 2; k--)
            if (FileBytes(shape, blockSize, k) <= fileBytes && PaperAccounting.WeightBytes(shape.Count / blockSize, blockSize, k) <= paperBytes)
                return k;
        return 0;
    }

    private static double Rate(int blockSize, int codewords) => Math.Log2(codewords) / blockSize;
}
