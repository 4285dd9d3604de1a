using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// Products by table: the inner product of each codeword with a block of inputs is computed once, and each output adds up the entries that its codes
/// name: y[o] = Σ_b table[b][code[b, o]], table[b][c] = Σ_j codebook[c, j]·x[b·d + j], all for some pixels at once.
/// </summary>
internal static unsafe class ProductTable<TVector>
    where TVector : struct, IFloatVector<TVector>
{
    /// <summary>Outputs that are added up at once, each in a register.</summary>
    public const int Rows = 16;

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

    /// <summary>y[o] += Σ_b tables[b][codes[b, o]] for some blocks and 16 outputs; without <paramref name="add"/> y is overwritten.</summary>
    /// <remarks>Eight codes are read at once: a load takes a place that a table's entry could have had.</remarks>
    /// <param name="codes">The first output's code of the first block; codes of a block lie side by side, those of the next 32 further.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="tables">[blocks, length] values.</param>
    /// <param name="length">Distance between tables.</param>
    /// <param name="y">[16, TVector.Count] values.</param>
    /// <param name="add">Whether there are sums already.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(byte* codes, int blocks, float* tables, nint length, float* y, bool add)
    {
        TVector c0 = TVector.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TVector c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
        if (add)
        {
            (c0, c1, c2, c3) = (Row(y, 0), Row(y, 1), Row(y, 2), Row(y, 3));
            (c4, c5, c6, c7) = (Row(y, 4), Row(y, 5), Row(y, 6), Row(y, 7));
            (c8, c9, c10, c11) = (Row(y, 8), Row(y, 9), Row(y, 10), Row(y, 11));
            (c12, c13, c14, c15) = (Row(y, 12), Row(y, 13), Row(y, 14), Row(y, 15));
        }
        for (; blocks > 0; blocks--, codes += TileOperands.PanelWidth, tables += length)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(new(codes, 8)), high = BinaryPrimitives.ReadUInt64LittleEndian(new(codes + 8, 8));
            c0 += Entry(tables, low << 6);
            c1 += Entry(tables, low >> 2);
            c2 += Entry(tables, low >> 10);
            c3 += Entry(tables, low >> 18);
            c4 += Entry(tables, low >> 26);
            c5 += Entry(tables, low >> 34);
            c6 += Entry(tables, low >> 42);
            c7 += Entry(tables, low >> 50);
            c8 += Entry(tables, high << 6);
            c9 += Entry(tables, high >> 2);
            c10 += Entry(tables, high >> 10);
            c11 += Entry(tables, high >> 18);
            c12 += Entry(tables, high >> 26);
            c13 += Entry(tables, high >> 34);
            c14 += Entry(tables, high >> 42);
            c15 += Entry(tables, high >> 50);
        }
        c0.Store(y);
        c1.Store(y + TVector.Count);
        c2.Store(y + 2 * TVector.Count);
        c3.Store(y + 3 * TVector.Count);
        c4.Store(y + 4 * TVector.Count);
        c5.Store(y + 5 * TVector.Count);
        c6.Store(y + 6 * TVector.Count);
        c7.Store(y + 7 * TVector.Count);
        c8.Store(y + 8 * TVector.Count);
        c9.Store(y + 9 * TVector.Count);
        c10.Store(y + 10 * TVector.Count);
        c11.Store(y + 11 * TVector.Count);
        c12.Store(y + 12 * TVector.Count);
        c13.Store(y + 13 * TVector.Count);
        c14.Store(y + 14 * TVector.Count);
        c15.Store(y + 15 * TVector.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Row(float* y, int row) => TVector.Load(y + row * TVector.Count);

    /// <summary>The entry of the code whose bits begin at bit 6; with 16 values an entry takes 64 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Entry(float* table, ulong shifted) =>
        TVector.Load((float*)((byte*)table + (nuint)((shifted & (0xFF << 6)) >> (TVector.Count == 16 ? 0 : TVector.Count == 8 ? 1 : 2))));
}
