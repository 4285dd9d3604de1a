using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// Products by table: the inner product of each codeword with a block of inputs is computed once, and each output adds up the entries that its codes
/// name: y[o] = Σ_b table[b][code[b, o]], table[b][c] = Σ_j codebook[c, j]·x[b·d + j], all for some pixels at once.
/// </summary>
internal static unsafe class ProductTable<TVector>
    where TVector : struct, IFloatVector<TVector>
{
    /// <summary>table[c, p] = Σ_j codebook[c, j]·x[j, p] for d = 4 or 8.</summary>
    /// <param name="x">The block's inputs, d rows of pixels.</param>
    /// <param name="xStride">Distance between the rows.</param>
    /// <param name="d">The block size.</param>
    /// <param name="codebook">[codewords, d] values.</param>
    /// <param name="codewords">k.</param>
    /// <param name="table">Receives [codewords, TVector.Count] values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(float* x, nint xStride, int d, float* codebook, int codewords, float* table)
    {
        TVector x0 = TVector.Load(x), x1 = TVector.Load(x + xStride), x2 = TVector.Load(x + 2 * xStride), x3 = TVector.Load(x + 3 * xStride);
        if (d == 4)
        {
            for (; codewords > 0; codewords--, codebook += 4, table += TVector.Count)
                TVector.MultiplyAdd(x3, codebook + 3, TVector.MultiplyAdd(x2, codebook + 2, TVector.MultiplyAdd(x1, codebook + 1, TVector.MultiplyAdd(x0, codebook, TVector.Zero)))).Store(table);
            return;
        }
        TVector x4 = TVector.Load(x + 4 * xStride), x5 = TVector.Load(x + 5 * xStride), x6 = TVector.Load(x + 6 * xStride), x7 = TVector.Load(x + 7 * xStride);
        for (; codewords > 0; codewords--, codebook += 8, table += TVector.Count)
        {
            TVector low = TVector.MultiplyAdd(x3, codebook + 3, TVector.MultiplyAdd(x2, codebook + 2, TVector.MultiplyAdd(x1, codebook + 1, TVector.MultiplyAdd(x0, codebook, TVector.Zero))));
            TVector high = TVector.MultiplyAdd(x7, codebook + 7, TVector.MultiplyAdd(x6, codebook + 6, TVector.MultiplyAdd(x5, codebook + 5, TVector.MultiplyAdd(x4, codebook + 4, TVector.Zero))));
            (low + high).Store(table);
        }
    }

    /// <summary>y[o] += Σ_b tables[b][codes[b, o]] for four blocks and 32 outputs; without <paramref name="add"/> y is overwritten.</summary>
    /// <param name="codes">[4, 32] codes.</param>
    /// <param name="tables">[4, codewords, TVector.Count] values.</param>
    /// <param name="codewords">k.</param>
    /// <param name="y">[32, TVector.Count] values.</param>
    /// <param name="add">Whether there are sums already.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(byte* codes, float* tables, int codewords, float* y, bool add)
    {
        nint table = (nint)codewords * TVector.Count;
        float* t1 = tables + table, t2 = t1 + table, t3 = t2 + table;
        for (int o = 32; o > 0; o--, codes++, y += TVector.Count)
        {
            TVector even = TVector.Load(tables + (nuint)codes[0] * (nuint)TVector.Count) + TVector.Load(t2 + (nuint)codes[64] * (nuint)TVector.Count);
            TVector odd = TVector.Load(t1 + (nuint)codes[32] * (nuint)TVector.Count) + TVector.Load(t3 + (nuint)codes[96] * (nuint)TVector.Count);
            (add ? TVector.Load(y) + even + odd : even + odd).Store(y);
        }
    }
}
