using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Budget;

/// <summary>The block sizes and codebooks that are considered for a layer, and those of them that a search is spent on.</summary>
internal static class CandidateGrid
{
    private const int MostCodewords = 2048;

    /// <summary>Codebooks whose error is measured; between them its logarithm is taken as linear in log k.</summary>
    private static readonly int[] Measured = [16, 64, 256, 1024];

    /// <summary>Codebooks that may be chosen. A code takes a byte up to 256 whatever k is, so all that a smaller codebook saves is its own bytes, and k need not be a power of two.</summary>
    private static readonly int[] Choosable = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, MostCodewords];

    /// <summary>For each block size the codebooks to measure, smallest first; empty where nothing would make the layer smaller.</summary>
    /// <param name="geometry">How the weight meets its inputs.</param>
    /// <param name="shape">The weight's shape.</param>
    public static IReadOnlyList<(int BlockSize, int[] Measured, int[] Choosable)> Of(LayerGeometry geometry, TensorShape shape)
    {
        var grid = new List<(int, int[], int[])>();
        foreach (int d in BlockSizes(geometry))
        {
            int[] choosable = [.. Choosable.Where(k => Fits(k, d))];
            if (choosable.Length == 0)
                continue;
            int[] measured = [.. Measured.Where(k => k >= choosable[0] && k <= choosable[^1])];
            grid.Add((d, measured.Length > 0 ? measured : [choosable[^1]], choosable));
        }
        return grid;

        // A codeword that fewer than two blocks share is a weight stored twice.
        bool Fits(int k, int d) => 2L * k <= shape.Count / d && LayerChoice.QuantizedBytes(shape, d, k) < 4 * shape.Count;
    }

    /// <summary>Of a convolution with a window of area a: its largest proper divisor, a, 2a and 4a; else 2, 4, 8 and 16. Each divides a row.</summary>
    private static IEnumerable<int> BlockSizes(LayerGeometry geometry)
    {
        int area = geometry.Window is { } window ? window.KernelHeight * window.KernelWidth : 1;
        int[] sizes = area > 1 ? [Enumerable.Range(1, area / 2).Last(d => area % d == 0), area, 2 * area, 4 * area] : [2, 4, 8, 16];
        return sizes.Where(d => d > 1 && geometry.RowLength % d == 0);
    }
}
