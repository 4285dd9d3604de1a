using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>14 pixels × 32 output channels in 28 of the 32 AVX-512 registers, where the epilogue is applied to them too.</summary>
internal readonly unsafe struct PixelTile512 : IPixelTile
{
    public static int Pixels => 14;

    public static void Multiply<TStride, TPixels>(ref readonly TileOperands t, ref readonly TileEpilogue e, bool wide)
        where TStride : struct, IConstant
        where TPixels : struct, IConstant
    {
        if (wide)
            Multiply<TStride, TPixels, One>(in t, in e);
        else
            Multiply<TStride, TPixels, Zero>(in t, in e);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TStride, TPixels, TWide>(ref readonly TileOperands t, ref readonly TileEpilogue e)
        where TStride : struct, IConstant
        where TPixels : struct, IConstant
        where TWide : struct, IConstant
    {
        Vector512<float> c0l = Vector512<float>.Zero, c0h = Vector512<float>.Zero;
        Vector512<float> c1l = Vector512<float>.Zero, c1h = Vector512<float>.Zero;
        Vector512<float> c2l = Vector512<float>.Zero, c2h = Vector512<float>.Zero;
        Vector512<float> c3l = Vector512<float>.Zero, c3h = Vector512<float>.Zero;
        Vector512<float> c4l = Vector512<float>.Zero, c4h = Vector512<float>.Zero;
        Vector512<float> c5l = Vector512<float>.Zero, c5h = Vector512<float>.Zero;
        Vector512<float> c6l = Vector512<float>.Zero, c6h = Vector512<float>.Zero;
        Vector512<float> c7l = Vector512<float>.Zero, c7h = Vector512<float>.Zero;
        Vector512<float> c8l = Vector512<float>.Zero, c8h = Vector512<float>.Zero;
        Vector512<float> c9l = Vector512<float>.Zero, c9h = Vector512<float>.Zero;
        Vector512<float> c10l = Vector512<float>.Zero, c10h = Vector512<float>.Zero;
        Vector512<float> c11l = Vector512<float>.Zero, c11h = Vector512<float>.Zero;
        Vector512<float> c12l = Vector512<float>.Zero, c12h = Vector512<float>.Zero;
        Vector512<float> c13l = Vector512<float>.Zero, c13h = Vector512<float>.Zero;
        float* w = t.Panel;
        nint* offset = t.Offsets;
        for (int run = t.Runs; run > 0; run--, offset++)
        {
            float* x = t.X + *offset, x7 = t.X7 + *offset;
            if (TStride.Value == 16 && TPixels.Value == 14)
                PrefetchNext(x, x7);
            for (int i = t.RunLength; i > 0; i--, x++, x7++, w += TileOperands.PanelWidth)
            {
                Vector512<float> l = Vector512.Load(w), h = TWide.Value == 1 ? Vector512.Load(w + 16) : l, b = Vector512.Create(x[0]);
                c0l = Avx512F.FusedMultiplyAdd(b, l, c0l);
                if (TWide.Value == 1)
                    c0h = Avx512F.FusedMultiplyAdd(b, h, c0h);
                if (TPixels.Value > 1)
                {
                    b = Vector512.Create(x[1 * TStride.Value]);
                    c1l = Avx512F.FusedMultiplyAdd(b, l, c1l);
                    if (TWide.Value == 1)
                        c1h = Avx512F.FusedMultiplyAdd(b, h, c1h);
                }
                if (TPixels.Value > 2)
                {
                    b = Vector512.Create(x[2 * TStride.Value]);
                    c2l = Avx512F.FusedMultiplyAdd(b, l, c2l);
                    if (TWide.Value == 1)
                        c2h = Avx512F.FusedMultiplyAdd(b, h, c2h);
                }
                if (TPixels.Value > 3)
                {
                    b = Vector512.Create(x[3 * TStride.Value]);
                    c3l = Avx512F.FusedMultiplyAdd(b, l, c3l);
                    if (TWide.Value == 1)
                        c3h = Avx512F.FusedMultiplyAdd(b, h, c3h);
                }
                if (TPixels.Value > 4)
                {
                    b = Vector512.Create(x[4 * TStride.Value]);
                    c4l = Avx512F.FusedMultiplyAdd(b, l, c4l);
                    if (TWide.Value == 1)
                        c4h = Avx512F.FusedMultiplyAdd(b, h, c4h);
                }
                if (TPixels.Value > 5)
                {
                    b = Vector512.Create(x[5 * TStride.Value]);
                    c5l = Avx512F.FusedMultiplyAdd(b, l, c5l);
                    if (TWide.Value == 1)
                        c5h = Avx512F.FusedMultiplyAdd(b, h, c5h);
                }
                if (TPixels.Value > 6)
                {
                    b = Vector512.Create(x[6 * TStride.Value]);
                    c6l = Avx512F.FusedMultiplyAdd(b, l, c6l);
                    if (TWide.Value == 1)
                        c6h = Avx512F.FusedMultiplyAdd(b, h, c6h);
                }
                if (TPixels.Value > 7)
                {
                    b = Vector512.Create(x7[0]);
                    c7l = Avx512F.FusedMultiplyAdd(b, l, c7l);
                    if (TWide.Value == 1)
                        c7h = Avx512F.FusedMultiplyAdd(b, h, c7h);
                }
                if (TPixels.Value > 8)
                {
                    b = Vector512.Create(x7[1 * TStride.Value]);
                    c8l = Avx512F.FusedMultiplyAdd(b, l, c8l);
                    if (TWide.Value == 1)
                        c8h = Avx512F.FusedMultiplyAdd(b, h, c8h);
                }
                if (TPixels.Value > 9)
                {
                    b = Vector512.Create(x7[2 * TStride.Value]);
                    c9l = Avx512F.FusedMultiplyAdd(b, l, c9l);
                    if (TWide.Value == 1)
                        c9h = Avx512F.FusedMultiplyAdd(b, h, c9h);
                }
                if (TPixels.Value > 10)
                {
                    b = Vector512.Create(x7[3 * TStride.Value]);
                    c10l = Avx512F.FusedMultiplyAdd(b, l, c10l);
                    if (TWide.Value == 1)
                        c10h = Avx512F.FusedMultiplyAdd(b, h, c10h);
                }
                if (TPixels.Value > 11)
                {
                    b = Vector512.Create(x7[4 * TStride.Value]);
                    c11l = Avx512F.FusedMultiplyAdd(b, l, c11l);
                    if (TWide.Value == 1)
                        c11h = Avx512F.FusedMultiplyAdd(b, h, c11h);
                }
                if (TPixels.Value > 12)
                {
                    b = Vector512.Create(x7[5 * TStride.Value]);
                    c12l = Avx512F.FusedMultiplyAdd(b, l, c12l);
                    if (TWide.Value == 1)
                        c12h = Avx512F.FusedMultiplyAdd(b, h, c12h);
                }
                if (TPixels.Value > 13)
                {
                    b = Vector512.Create(x7[6 * TStride.Value]);
                    c13l = Avx512F.FusedMultiplyAdd(b, l, c13l);
                    if (TWide.Value == 1)
                        c13h = Avx512F.FusedMultiplyAdd(b, h, c13h);
                }
            }
        }
        float* y = e.Y, r = e.Residual;
        Vector512<float> sl = Vector512.Load(e.Scale), bl = Vector512.Load(e.Bias), low = Vector512.Create(e.Low), high = Vector512.Create(e.High);
        Vector512<float> sh = TWide.Value == 1 ? Vector512.Load(e.Scale + 16) : sl, bh = TWide.Value == 1 ? Vector512.Load(e.Bias + 16) : bl;
        Finish<TWide>(c0l, c0h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 1)
            Finish<TWide>(c1l, c1h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 2)
            Finish<TWide>(c2l, c2h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 3)
            Finish<TWide>(c3l, c3h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 4)
            Finish<TWide>(c4l, c4h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 5)
            Finish<TWide>(c5l, c5h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 6)
            Finish<TWide>(c6l, c6h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 7)
        {
            y = e.Y7;
            r = e.Residual7;
            Finish<TWide>(c7l, c7h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        }
        if (TPixels.Value > 8)
            Finish<TWide>(c8l, c8h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 9)
            Finish<TWide>(c9l, c9h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 10)
            Finish<TWide>(c10l, c10h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 11)
            Finish<TWide>(c11l, c11h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 12)
            Finish<TWide>(c12l, c12h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
        if (TPixels.Value > 13)
            Finish<TWide>(c13l, c13h, sl, sh, bl, bh, low, high, ref y, ref r, in e);
    }

    /// <summary>Hands out the sums of a pixel, and goes on to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TWide>(
        Vector512<float> l, Vector512<float> h, Vector512<float> sl, Vector512<float> sh, Vector512<float> bl, Vector512<float> bh,
        Vector512<float> low, Vector512<float> high, ref float* y, ref float* r, ref readonly TileEpilogue e)
        where TWide : struct, IConstant
    {
        l = Vector512.MultiplyAddEstimate(l, sl, bl);
        h = Vector512.MultiplyAddEstimate(h, sh, bh);
        if (e.Residual != null)
        {
            l += Vector512.Load(r);
            if (TWide.Value == 1)
                h += Vector512.Load(r + e.ResidualBlockStride);
        }
        Vector512.Min(Vector512.Max(l, low), high).Store(y);
        if (TWide.Value == 1)
            Vector512.Min(Vector512.Max(h, low), high).Store(y + e.BlockStride);
        y += e.PixelStride;
        r += e.PixelStride;
    }

    /// <summary>Asks for the same 16 channels of the tile that comes next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNext(float* x, float* x7)
    {
        for (int pixel = 14; pixel < 21; pixel++)
        {
            Sse.Prefetch0(x + pixel * 16);
            Sse.Prefetch0(x7 + pixel * 16);
        }
    }
}
