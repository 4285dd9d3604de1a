using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// The products of F(4×4, 3×3) for few tiles, with the 36 positions ξ of a transformed tile as lanes: sums[o, t, ξ] += Σ_b Σ_j table[code[b, o], j, ξ]·v[b·q + j, t, ξ]
/// for four tiles t at once. A code is the address of a whole register of its transformed filter.
/// </summary>
/// <remarks>The positions come as two groups of 16, one register of each tile, and one of 4, which the four tiles share a register for.</remarks>
internal static unsafe class FilterProduct
{
    /// <summary>Tiles computed at once.</summary>
    public const int Tiles = 4;

    /// <summary>Outputs computed by a call.</summary>
    public const int Rows = 16;

    /// <summary>16 positions of sixteen outputs, of which six, five and five are computed at once: four registers of v then serve 24 or 20 products.</summary>
    /// <param name="codes">The first output's code of block 0; codes of a block lie side by side, those of the next 32 further.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="table">[codewords, q, 16] values.</param>
    /// <param name="q">Filters of a codeword.</param>
    /// <param name="v">[blocks·q, 4, 16] values.</param>
    /// <param name="sums">Receives [4, 16] values for each output.</param>
    /// <param name="stride">Distance between the outputs' sums.</param>
    public static void Sixteen(byte* codes, int blocks, float* table, int q, float* v, float* sums, nint stride)
    {
        Multiply<Six>(codes, blocks, table, q, v, sums, stride);
        Multiply<Five>(codes + 6, blocks, table, q, v, sums + 6 * stride, stride);
        Multiply<Five>(codes + 11, blocks, table, q, v, sums + 11 * stride, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows>(byte* codes, int blocks, float* table, int q, float* v, float* sums, nint stride)
        where TRows : struct, IConstant
    {
        Vector512<float> c00 = Vector512<float>.Zero, c01 = Vector512<float>.Zero, c02 = Vector512<float>.Zero, c03 = Vector512<float>.Zero;
        Vector512<float> c10 = Vector512<float>.Zero, c11 = Vector512<float>.Zero, c12 = Vector512<float>.Zero, c13 = Vector512<float>.Zero;
        Vector512<float> c20 = Vector512<float>.Zero, c21 = Vector512<float>.Zero, c22 = Vector512<float>.Zero, c23 = Vector512<float>.Zero;
        Vector512<float> c30 = Vector512<float>.Zero, c31 = Vector512<float>.Zero, c32 = Vector512<float>.Zero, c33 = Vector512<float>.Zero;
        Vector512<float> c40 = Vector512<float>.Zero, c41 = Vector512<float>.Zero, c42 = Vector512<float>.Zero, c43 = Vector512<float>.Zero;
        Vector512<float> c50 = Vector512<float>.Zero, c51 = Vector512<float>.Zero, c52 = Vector512<float>.Zero, c53 = Vector512<float>.Zero;
        nint length = q * 16;
        for (; blocks > 0; blocks--, codes += 32)
        {
            float* t = table;
            for (int j = q; j > 0; j--, t += 16, v += 64)
            {
                Vector512<float> v0 = Vector512.Load(v), v1 = Vector512.Load(v + 16), v2 = Vector512.Load(v + 32), v3 = Vector512.Load(v + 48), u;
                u = Vector512.Load(t + codes[0] * length);
                c00 = Avx512F.FusedMultiplyAdd(u, v0, c00);
                c01 = Avx512F.FusedMultiplyAdd(u, v1, c01);
                c02 = Avx512F.FusedMultiplyAdd(u, v2, c02);
                c03 = Avx512F.FusedMultiplyAdd(u, v3, c03);
                u = Vector512.Load(t + codes[1] * length);
                c10 = Avx512F.FusedMultiplyAdd(u, v0, c10);
                c11 = Avx512F.FusedMultiplyAdd(u, v1, c11);
                c12 = Avx512F.FusedMultiplyAdd(u, v2, c12);
                c13 = Avx512F.FusedMultiplyAdd(u, v3, c13);
                u = Vector512.Load(t + codes[2] * length);
                c20 = Avx512F.FusedMultiplyAdd(u, v0, c20);
                c21 = Avx512F.FusedMultiplyAdd(u, v1, c21);
                c22 = Avx512F.FusedMultiplyAdd(u, v2, c22);
                c23 = Avx512F.FusedMultiplyAdd(u, v3, c23);
                u = Vector512.Load(t + codes[3] * length);
                c30 = Avx512F.FusedMultiplyAdd(u, v0, c30);
                c31 = Avx512F.FusedMultiplyAdd(u, v1, c31);
                c32 = Avx512F.FusedMultiplyAdd(u, v2, c32);
                c33 = Avx512F.FusedMultiplyAdd(u, v3, c33);
                u = Vector512.Load(t + codes[4] * length);
                c40 = Avx512F.FusedMultiplyAdd(u, v0, c40);
                c41 = Avx512F.FusedMultiplyAdd(u, v1, c41);
                c42 = Avx512F.FusedMultiplyAdd(u, v2, c42);
                c43 = Avx512F.FusedMultiplyAdd(u, v3, c43);
                if (TRows.Value < 6)
                    continue;
                u = Vector512.Load(t + codes[5] * length);
                c50 = Avx512F.FusedMultiplyAdd(u, v0, c50);
                c51 = Avx512F.FusedMultiplyAdd(u, v1, c51);
                c52 = Avx512F.FusedMultiplyAdd(u, v2, c52);
                c53 = Avx512F.FusedMultiplyAdd(u, v3, c53);
            }
        }
        c00.Store(sums);
        c01.Store(sums + 16);
        c02.Store(sums + 32);
        c03.Store(sums + 48);
        sums += stride;
        c10.Store(sums);
        c11.Store(sums + 16);
        c12.Store(sums + 32);
        c13.Store(sums + 48);
        sums += stride;
        c20.Store(sums);
        c21.Store(sums + 16);
        c22.Store(sums + 32);
        c23.Store(sums + 48);
        sums += stride;
        c30.Store(sums);
        c31.Store(sums + 16);
        c32.Store(sums + 32);
        c33.Store(sums + 48);
        sums += stride;
        c40.Store(sums);
        c41.Store(sums + 16);
        c42.Store(sums + 32);
        c43.Store(sums + 48);
        if (TRows.Value < 6)
            return;
        sums += stride;
        c50.Store(sums);
        c51.Store(sums + 16);
        c52.Store(sums + 32);
        c53.Store(sums + 48);
    }

    /// <summary>The last 4 positions of sixteen outputs, the four tiles beside each other: table [codewords, q, 4], v [blocks·q, 4, 4], sums [4, 4] for each output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Four(byte* codes, int blocks, float* table, int q, float* v, float* sums, nint stride)
    {
        Vector512<float> c0 = Vector512<float>.Zero, c1 = Vector512<float>.Zero, c2 = Vector512<float>.Zero, c3 = Vector512<float>.Zero;
        Vector512<float> c4 = Vector512<float>.Zero, c5 = Vector512<float>.Zero, c6 = Vector512<float>.Zero, c7 = Vector512<float>.Zero;
        Vector512<float> c8 = Vector512<float>.Zero, c9 = Vector512<float>.Zero, c10 = Vector512<float>.Zero, c11 = Vector512<float>.Zero;
        Vector512<float> c12 = Vector512<float>.Zero, c13 = Vector512<float>.Zero, c14 = Vector512<float>.Zero, c15 = Vector512<float>.Zero;
        nint length = q * 4;
        for (; blocks > 0; blocks--, codes += 32)
        {
            float* t = table;
            for (int j = q; j > 0; j--, t += 4, v += 16)
            {
                Vector512<float> tiles = Vector512.Load(v);
                c0 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[0] * length), tiles, c0);
                c1 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[1] * length), tiles, c1);
                c2 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[2] * length), tiles, c2);
                c3 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[3] * length), tiles, c3);
                c4 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[4] * length), tiles, c4);
                c5 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[5] * length), tiles, c5);
                c6 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[6] * length), tiles, c6);
                c7 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[7] * length), tiles, c7);
                c8 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[8] * length), tiles, c8);
                c9 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[9] * length), tiles, c9);
                c10 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[10] * length), tiles, c10);
                c11 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[11] * length), tiles, c11);
                c12 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[12] * length), tiles, c12);
                c13 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[13] * length), tiles, c13);
                c14 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[14] * length), tiles, c14);
                c15 = Avx512F.FusedMultiplyAdd(Avx512F.BroadcastVector128ToVector512(t + codes[15] * length), tiles, c15);
            }
        }
        c0.Store(sums);
        c1.Store(sums + stride);
        c2.Store(sums + 2 * stride);
        c3.Store(sums + 3 * stride);
        c4.Store(sums + 4 * stride);
        c5.Store(sums + 5 * stride);
        c6.Store(sums + 6 * stride);
        c7.Store(sums + 7 * stride);
        c8.Store(sums + 8 * stride);
        c9.Store(sums + 9 * stride);
        c10.Store(sums + 10 * stride);
        c11.Store(sums + 11 * stride);
        c12.Store(sums + 12 * stride);
        c13.Store(sums + 13 * stride);
        c14.Store(sums + 14 * stride);
        c15.Store(sums + 15 * stride);
    }
}
