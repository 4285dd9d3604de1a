using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>How the gradient of a panel of rows follows a change of one block position.</summary>
internal static unsafe class PanelUpdate
{
    private const int Lanes = NearestCodeword.Lanes;

    /// <summary>R += H_b·Δ for the d columns H_b of a block (rows of the symmetric H) and its change Δ.</summary>
    /// <param name="level">The vectors to use.</param>
    /// <param name="columns">H from the block's first row on.</param>
    /// <param name="n">The length of a row of H.</param>
    /// <param name="d">The block size.</param>
    /// <param name="change">Δ, [d][Lanes].</param>
    /// <param name="gradient">R, [n][Lanes].</param>
    public static void Add(SimdLevel level, ReadOnlySpan<float> columns, int n, int d, ReadOnlySpan<float> change, Span<float> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns.Length, d * n, nameof(columns));
        ArgumentOutOfRangeException.ThrowIfLessThan(change.Length, d * Lanes, nameof(change));
        ArgumentOutOfRangeException.ThrowIfLessThan(gradient.Length, n * Lanes, nameof(gradient));
        fixed (float* h = columns, delta = change, r = gradient)
        {
            if (level == SimdLevel.Vector512)
            {
                Add512(h, n, d, delta, r);
                return;
            }
            for (int lane = 0; lane < Lanes; lane += Lanes / 2)
            {
                int i = 0;
                for (; i + 1 < n; i += 2)
                    Add256(h + i, h + i + 1, n, d, delta + lane, r + i * Lanes + lane, r + (i + 1) * Lanes + lane);
                for (; i < n; i++)
                    Add256(h + i, n, d, delta + lane, r + i * Lanes + lane);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add512(float* columns, int n, int d, float* change, float* r)
    {
        for (int i = 0; i < n; i++, r += Lanes)
        {
            Vector512<float> a = Vector512.Load(r), b = Vector512.Load(r + 16), c = Vector512.Load(r + 32), e = Vector512.Load(r + 48);
            float* h = columns + i, delta = change;
            for (int j = 0; j < d; j++, h += n, delta += Lanes)
            {
                Vector512<float> x = Vector512.Create(*h);
                a = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta), a);
                b = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 16), b);
                c = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 32), c);
                e = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 48), e);
            }
            a.Store(r);
            b.Store(r + 16);
            c.Store(r + 32);
            e.Store(r + 48);
        }
    }

    /// <summary>Two rows of R by half a panel: eight sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add256(float* h, float* g, int n, int d, float* delta, float* r, float* s)
    {
        Vector256<float> r0 = Vector256.Load(r), r1 = Vector256.Load(r + 8), r2 = Vector256.Load(r + 16), r3 = Vector256.Load(r + 24);
        Vector256<float> s0 = Vector256.Load(s), s1 = Vector256.Load(s + 8), s2 = Vector256.Load(s + 16), s3 = Vector256.Load(s + 24);
        for (int j = 0; j < d; j++, h += n, g += n, delta += Lanes)
        {
            Vector256<float> x = Vector256.Create(*h), y = Vector256.Create(*g);
            Vector256<float> d0 = Vector256.Load(delta), d1 = Vector256.Load(delta + 8);
            r0 = Vector256.FusedMultiplyAdd(x, d0, r0);
            s0 = Vector256.FusedMultiplyAdd(y, d0, s0);
            r1 = Vector256.FusedMultiplyAdd(x, d1, r1);
            s1 = Vector256.FusedMultiplyAdd(y, d1, s1);
            Vector256<float> d2 = Vector256.Load(delta + 16), d3 = Vector256.Load(delta + 24);
            r2 = Vector256.FusedMultiplyAdd(x, d2, r2);
            s2 = Vector256.FusedMultiplyAdd(y, d2, s2);
            r3 = Vector256.FusedMultiplyAdd(x, d3, r3);
            s3 = Vector256.FusedMultiplyAdd(y, d3, s3);
        }
        r0.Store(r);
        r1.Store(r + 8);
        r2.Store(r + 16);
        r3.Store(r + 24);
        s0.Store(s);
        s1.Store(s + 8);
        s2.Store(s + 16);
        s3.Store(s + 24);
    }

    private static void Add256(float* h, int n, int d, float* delta, float* r)
    {
        Vector256<float> r0 = Vector256.Load(r), r1 = Vector256.Load(r + 8), r2 = Vector256.Load(r + 16), r3 = Vector256.Load(r + 24);
        for (int j = 0; j < d; j++, h += n, delta += Lanes)
        {
            Vector256<float> x = Vector256.Create(*h);
            r0 = Vector256.FusedMultiplyAdd(x, Vector256.Load(delta), r0);
            r1 = Vector256.FusedMultiplyAdd(x, Vector256.Load(delta + 8), r1);
            r2 = Vector256.FusedMultiplyAdd(x, Vector256.Load(delta + 16), r2);
            r3 = Vector256.FusedMultiplyAdd(x, Vector256.Load(delta + 24), r3);
        }
        r0.Store(r);
        r1.Store(r + 8);
        r2.Store(r + 16);
        r3.Store(r + 24);
    }
}
