using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <content>Tiles of 32 output channels and many outputs.</content>
internal static unsafe partial class ConvolutionTiles
{
    private static void Tile14x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero, s1b = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero, s2b = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero, s3b = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero, s4b = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero, s5b = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero, s6b = Vector512<float>.Zero;
        Vector512<float> s7a = Vector512<float>.Zero, s7b = Vector512<float>.Zero;
        Vector512<float> s8a = Vector512<float>.Zero, s8b = Vector512<float>.Zero;
        Vector512<float> s9a = Vector512<float>.Zero, s9b = Vector512<float>.Zero;
        Vector512<float> s10a = Vector512<float>.Zero, s10b = Vector512<float>.Zero;
        Vector512<float> s11a = Vector512<float>.Zero, s11b = Vector512<float>.Zero;
        Vector512<float> s12a = Vector512<float>.Zero, s12b = Vector512<float>.Zero;
        Vector512<float> s13a = Vector512<float>.Zero, s13b = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 32)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    Vector512<float> wb = Vector512.Load(w + 16);
                    Vector512<float> x0 = Vector512.Create(p[0]);
                    s0a = Vector512.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector512.FusedMultiplyAdd(x0, wb, s0b);
                    Vector512<float> x1 = Vector512.Create(p[16]);
                    s1a = Vector512.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector512.FusedMultiplyAdd(x1, wb, s1b);
                    Vector512<float> x2 = Vector512.Create(p[32]);
                    s2a = Vector512.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector512.FusedMultiplyAdd(x2, wb, s2b);
                    Vector512<float> x3 = Vector512.Create(p[48]);
                    s3a = Vector512.FusedMultiplyAdd(x3, wa, s3a);
                    s3b = Vector512.FusedMultiplyAdd(x3, wb, s3b);
                    Vector512<float> x4 = Vector512.Create(p[64]);
                    s4a = Vector512.FusedMultiplyAdd(x4, wa, s4a);
                    s4b = Vector512.FusedMultiplyAdd(x4, wb, s4b);
                    Vector512<float> x5 = Vector512.Create(p[80]);
                    s5a = Vector512.FusedMultiplyAdd(x5, wa, s5a);
                    s5b = Vector512.FusedMultiplyAdd(x5, wb, s5b);
                    Vector512<float> x6 = Vector512.Create(p[96]);
                    s6a = Vector512.FusedMultiplyAdd(x6, wa, s6a);
                    s6b = Vector512.FusedMultiplyAdd(x6, wb, s6b);
                    Vector512<float> x7 = Vector512.Create(p[112]);
                    s7a = Vector512.FusedMultiplyAdd(x7, wa, s7a);
                    s7b = Vector512.FusedMultiplyAdd(x7, wb, s7b);
                    Vector512<float> x8 = Vector512.Create(p[128]);
                    s8a = Vector512.FusedMultiplyAdd(x8, wa, s8a);
                    s8b = Vector512.FusedMultiplyAdd(x8, wb, s8b);
                    Vector512<float> x9 = Vector512.Create(p[144]);
                    s9a = Vector512.FusedMultiplyAdd(x9, wa, s9a);
                    s9b = Vector512.FusedMultiplyAdd(x9, wb, s9b);
                    Vector512<float> x10 = Vector512.Create(p[160]);
                    s10a = Vector512.FusedMultiplyAdd(x10, wa, s10a);
                    s10b = Vector512.FusedMultiplyAdd(x10, wb, s10b);
                    Vector512<float> x11 = Vector512.Create(p[176]);
                    s11a = Vector512.FusedMultiplyAdd(x11, wa, s11a);
                    s11b = Vector512.FusedMultiplyAdd(x11, wb, s11b);
                    Vector512<float> x12 = Vector512.Create(p[192]);
                    s12a = Vector512.FusedMultiplyAdd(x12, wa, s12a);
                    s12b = Vector512.FusedMultiplyAdd(x12, wb, s12b);
                    Vector512<float> x13 = Vector512.Create(p[208]);
                    s13a = Vector512.FusedMultiplyAdd(x13, wa, s13a);
                    s13b = Vector512.FusedMultiplyAdd(x13, wb, s13b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
        Store(a, y + 3 * a.PixelStride, s3a, s3b);
        Store(a, y + 4 * a.PixelStride, s4a, s4b);
        Store(a, y + 5 * a.PixelStride, s5a, s5b);
        Store(a, y + 6 * a.PixelStride, s6a, s6b);
        Store(a, y + 7 * a.PixelStride, s7a, s7b);
        Store(a, y + 8 * a.PixelStride, s8a, s8b);
        Store(a, y + 9 * a.PixelStride, s9a, s9b);
        Store(a, y + 10 * a.PixelStride, s10a, s10b);
        Store(a, y + 11 * a.PixelStride, s11a, s11b);
        Store(a, y + 12 * a.PixelStride, s12a, s12b);
        Store(a, y + 13 * a.PixelStride, s13a, s13b);
    }

    private static void Tile8x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero, s1b = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero, s2b = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero, s3b = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero, s4b = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero, s5b = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero, s6b = Vector512<float>.Zero;
        Vector512<float> s7a = Vector512<float>.Zero, s7b = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 32)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    Vector512<float> wb = Vector512.Load(w + 16);
                    Vector512<float> x0 = Vector512.Create(p[0]);
                    s0a = Vector512.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector512.FusedMultiplyAdd(x0, wb, s0b);
                    Vector512<float> x1 = Vector512.Create(p[16]);
                    s1a = Vector512.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector512.FusedMultiplyAdd(x1, wb, s1b);
                    Vector512<float> x2 = Vector512.Create(p[32]);
                    s2a = Vector512.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector512.FusedMultiplyAdd(x2, wb, s2b);
                    Vector512<float> x3 = Vector512.Create(p[48]);
                    s3a = Vector512.FusedMultiplyAdd(x3, wa, s3a);
                    s3b = Vector512.FusedMultiplyAdd(x3, wb, s3b);
                    Vector512<float> x4 = Vector512.Create(p[64]);
                    s4a = Vector512.FusedMultiplyAdd(x4, wa, s4a);
                    s4b = Vector512.FusedMultiplyAdd(x4, wb, s4b);
                    Vector512<float> x5 = Vector512.Create(p[80]);
                    s5a = Vector512.FusedMultiplyAdd(x5, wa, s5a);
                    s5b = Vector512.FusedMultiplyAdd(x5, wb, s5b);
                    Vector512<float> x6 = Vector512.Create(p[96]);
                    s6a = Vector512.FusedMultiplyAdd(x6, wa, s6a);
                    s6b = Vector512.FusedMultiplyAdd(x6, wb, s6b);
                    Vector512<float> x7 = Vector512.Create(p[112]);
                    s7a = Vector512.FusedMultiplyAdd(x7, wa, s7a);
                    s7b = Vector512.FusedMultiplyAdd(x7, wb, s7b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
        Store(a, y + 3 * a.PixelStride, s3a, s3b);
        Store(a, y + 4 * a.PixelStride, s4a, s4b);
        Store(a, y + 5 * a.PixelStride, s5a, s5b);
        Store(a, y + 6 * a.PixelStride, s6a, s6b);
        Store(a, y + 7 * a.PixelStride, s7a, s7b);
    }

    private static void Tile7x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero, s1b = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero, s2b = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero, s3b = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero, s4b = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero, s5b = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero, s6b = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 32)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    Vector512<float> wb = Vector512.Load(w + 16);
                    Vector512<float> x0 = Vector512.Create(p[0]);
                    s0a = Vector512.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector512.FusedMultiplyAdd(x0, wb, s0b);
                    Vector512<float> x1 = Vector512.Create(p[16]);
                    s1a = Vector512.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector512.FusedMultiplyAdd(x1, wb, s1b);
                    Vector512<float> x2 = Vector512.Create(p[32]);
                    s2a = Vector512.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector512.FusedMultiplyAdd(x2, wb, s2b);
                    Vector512<float> x3 = Vector512.Create(p[48]);
                    s3a = Vector512.FusedMultiplyAdd(x3, wa, s3a);
                    s3b = Vector512.FusedMultiplyAdd(x3, wb, s3b);
                    Vector512<float> x4 = Vector512.Create(p[64]);
                    s4a = Vector512.FusedMultiplyAdd(x4, wa, s4a);
                    s4b = Vector512.FusedMultiplyAdd(x4, wb, s4b);
                    Vector512<float> x5 = Vector512.Create(p[80]);
                    s5a = Vector512.FusedMultiplyAdd(x5, wa, s5a);
                    s5b = Vector512.FusedMultiplyAdd(x5, wb, s5b);
                    Vector512<float> x6 = Vector512.Create(p[96]);
                    s6a = Vector512.FusedMultiplyAdd(x6, wa, s6a);
                    s6b = Vector512.FusedMultiplyAdd(x6, wb, s6b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
        Store(a, y + 3 * a.PixelStride, s3a, s3b);
        Store(a, y + 4 * a.PixelStride, s4a, s4b);
        Store(a, y + 5 * a.PixelStride, s5a, s5b);
        Store(a, y + 6 * a.PixelStride, s6a, s6b);
    }
}
