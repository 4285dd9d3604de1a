using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>6 pixels × 8 output channels in 12 of 16 (SSE) or 32 (AdvSimd) registers, four times; also the scalar fallback.</summary>
internal readonly unsafe struct PixelTile128 : IPixelTile
{
    public static int Pixels => 6;

    public static void Multiply<TStride, TPixels>(ref readonly TileOperands t, ref readonly TileEpilogue e, bool wide)
        where TStride : struct, IConstant
        where TPixels : struct, IConstant
    {
        for (int channel = 0; channel < (wide ? 32 : 16); channel += 8)
            Multiply<TStride, TPixels>(in t, channel);
        e.Apply<Float128>(t.Sums, TPixels.Value, wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TStride, TPixels>(ref readonly TileOperands t, int channel)
        where TStride : struct, IConstant
        where TPixels : struct, IConstant
    {
        Vector128<float> c0l = Vector128<float>.Zero, c0h = Vector128<float>.Zero;
        Vector128<float> c1l = Vector128<float>.Zero, c1h = Vector128<float>.Zero;
        Vector128<float> c2l = Vector128<float>.Zero, c2h = Vector128<float>.Zero;
        Vector128<float> c3l = Vector128<float>.Zero, c3h = Vector128<float>.Zero;
        Vector128<float> c4l = Vector128<float>.Zero, c4h = Vector128<float>.Zero;
        Vector128<float> c5l = Vector128<float>.Zero, c5h = Vector128<float>.Zero;
        float* w = t.Panel + channel;
        nint* offset = t.Offsets;
        for (int run = t.Runs; run > 0; run--, offset++)
        {
            float* x = t.X + *offset;
            for (int i = t.RunLength; i > 0; i--, x++, w += TileOperands.PanelWidth)
            {
                Vector128<float> l = Vector128.Load(w), h = Vector128.Load(w + 4), b = Vector128.Create(x[0]);
                c0l = Vector128.MultiplyAddEstimate(b, l, c0l);
                c0h = Vector128.MultiplyAddEstimate(b, h, c0h);
                if (TPixels.Value > 1)
                {
                    b = Vector128.Create(x[1 * TStride.Value]);
                    c1l = Vector128.MultiplyAddEstimate(b, l, c1l);
                    c1h = Vector128.MultiplyAddEstimate(b, h, c1h);
                }
                if (TPixels.Value > 2)
                {
                    b = Vector128.Create(x[2 * TStride.Value]);
                    c2l = Vector128.MultiplyAddEstimate(b, l, c2l);
                    c2h = Vector128.MultiplyAddEstimate(b, h, c2h);
                }
                if (TPixels.Value > 3)
                {
                    b = Vector128.Create(x[3 * TStride.Value]);
                    c3l = Vector128.MultiplyAddEstimate(b, l, c3l);
                    c3h = Vector128.MultiplyAddEstimate(b, h, c3h);
                }
                if (TPixels.Value > 4)
                {
                    b = Vector128.Create(x[4 * TStride.Value]);
                    c4l = Vector128.MultiplyAddEstimate(b, l, c4l);
                    c4h = Vector128.MultiplyAddEstimate(b, h, c4h);
                }
                if (TPixels.Value > 5)
                {
                    b = Vector128.Create(x[5 * TStride.Value]);
                    c5l = Vector128.MultiplyAddEstimate(b, l, c5l);
                    c5h = Vector128.MultiplyAddEstimate(b, h, c5h);
                }
            }
        }
        float* y = t.Sums + channel;
        c0l.Store(y);
        c0h.Store(y + 4);
        if (TPixels.Value > 1)
        {
            c1l.Store(y + 1 * TileOperands.PanelWidth);
            c1h.Store(y + 1 * TileOperands.PanelWidth + 4);
        }
        if (TPixels.Value > 2)
        {
            c2l.Store(y + 2 * TileOperands.PanelWidth);
            c2h.Store(y + 2 * TileOperands.PanelWidth + 4);
        }
        if (TPixels.Value > 3)
        {
            c3l.Store(y + 3 * TileOperands.PanelWidth);
            c3h.Store(y + 3 * TileOperands.PanelWidth + 4);
        }
        if (TPixels.Value > 4)
        {
            c4l.Store(y + 4 * TileOperands.PanelWidth);
            c4h.Store(y + 4 * TileOperands.PanelWidth + 4);
        }
        if (TPixels.Value > 5)
        {
            c5l.Store(y + 5 * TileOperands.PanelWidth);
            c5h.Store(y + 5 * TileOperands.PanelWidth + 4);
        }
    }
}
