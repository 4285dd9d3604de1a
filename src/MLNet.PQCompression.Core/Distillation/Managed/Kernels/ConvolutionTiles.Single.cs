using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <content>Tiles of 16 output channels.</content>
internal static unsafe partial class ConvolutionTiles
{
    private static void Tile16x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero;
        Vector512<float> s7a = Vector512<float>.Zero;
        Vector512<float> s8a = Vector512<float>.Zero;
        Vector512<float> s9a = Vector512<float>.Zero;
        Vector512<float> s10a = Vector512<float>.Zero;
        Vector512<float> s11a = Vector512<float>.Zero;
        Vector512<float> s12a = Vector512<float>.Zero;
        Vector512<float> s13a = Vector512<float>.Zero;
        Vector512<float> s14a = Vector512<float>.Zero;
        Vector512<float> s15a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                    s2a = Vector512.FusedMultiplyAdd(Vector512.Create(p[32]), wa, s2a);
                    s3a = Vector512.FusedMultiplyAdd(Vector512.Create(p[48]), wa, s3a);
                    s4a = Vector512.FusedMultiplyAdd(Vector512.Create(p[64]), wa, s4a);
                    s5a = Vector512.FusedMultiplyAdd(Vector512.Create(p[80]), wa, s5a);
                    s6a = Vector512.FusedMultiplyAdd(Vector512.Create(p[96]), wa, s6a);
                    s7a = Vector512.FusedMultiplyAdd(Vector512.Create(p[112]), wa, s7a);
                    s8a = Vector512.FusedMultiplyAdd(Vector512.Create(p[128]), wa, s8a);
                    s9a = Vector512.FusedMultiplyAdd(Vector512.Create(p[144]), wa, s9a);
                    s10a = Vector512.FusedMultiplyAdd(Vector512.Create(p[160]), wa, s10a);
                    s11a = Vector512.FusedMultiplyAdd(Vector512.Create(p[176]), wa, s11a);
                    s12a = Vector512.FusedMultiplyAdd(Vector512.Create(p[192]), wa, s12a);
                    s13a = Vector512.FusedMultiplyAdd(Vector512.Create(p[208]), wa, s13a);
                    s14a = Vector512.FusedMultiplyAdd(Vector512.Create(p[224]), wa, s14a);
                    s15a = Vector512.FusedMultiplyAdd(Vector512.Create(p[240]), wa, s15a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
        Store(a, y + 2 * a.PixelStride, s2a);
        Store(a, y + 3 * a.PixelStride, s3a);
        Store(a, y + 4 * a.PixelStride, s4a);
        Store(a, y + 5 * a.PixelStride, s5a);
        Store(a, y + 6 * a.PixelStride, s6a);
        Store(a, y + 7 * a.PixelStride, s7a);
        Store(a, y + 8 * a.PixelStride, s8a);
        Store(a, y + 9 * a.PixelStride, s9a);
        Store(a, y + 10 * a.PixelStride, s10a);
        Store(a, y + 11 * a.PixelStride, s11a);
        Store(a, y + 12 * a.PixelStride, s12a);
        Store(a, y + 13 * a.PixelStride, s13a);
        Store(a, y + 14 * a.PixelStride, s14a);
        Store(a, y + 15 * a.PixelStride, s15a);
    }

    private static void Tile14x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero;
        Vector512<float> s7a = Vector512<float>.Zero;
        Vector512<float> s8a = Vector512<float>.Zero;
        Vector512<float> s9a = Vector512<float>.Zero;
        Vector512<float> s10a = Vector512<float>.Zero;
        Vector512<float> s11a = Vector512<float>.Zero;
        Vector512<float> s12a = Vector512<float>.Zero;
        Vector512<float> s13a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                    s2a = Vector512.FusedMultiplyAdd(Vector512.Create(p[32]), wa, s2a);
                    s3a = Vector512.FusedMultiplyAdd(Vector512.Create(p[48]), wa, s3a);
                    s4a = Vector512.FusedMultiplyAdd(Vector512.Create(p[64]), wa, s4a);
                    s5a = Vector512.FusedMultiplyAdd(Vector512.Create(p[80]), wa, s5a);
                    s6a = Vector512.FusedMultiplyAdd(Vector512.Create(p[96]), wa, s6a);
                    s7a = Vector512.FusedMultiplyAdd(Vector512.Create(p[112]), wa, s7a);
                    s8a = Vector512.FusedMultiplyAdd(Vector512.Create(p[128]), wa, s8a);
                    s9a = Vector512.FusedMultiplyAdd(Vector512.Create(p[144]), wa, s9a);
                    s10a = Vector512.FusedMultiplyAdd(Vector512.Create(p[160]), wa, s10a);
                    s11a = Vector512.FusedMultiplyAdd(Vector512.Create(p[176]), wa, s11a);
                    s12a = Vector512.FusedMultiplyAdd(Vector512.Create(p[192]), wa, s12a);
                    s13a = Vector512.FusedMultiplyAdd(Vector512.Create(p[208]), wa, s13a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
        Store(a, y + 2 * a.PixelStride, s2a);
        Store(a, y + 3 * a.PixelStride, s3a);
        Store(a, y + 4 * a.PixelStride, s4a);
        Store(a, y + 5 * a.PixelStride, s5a);
        Store(a, y + 6 * a.PixelStride, s6a);
        Store(a, y + 7 * a.PixelStride, s7a);
        Store(a, y + 8 * a.PixelStride, s8a);
        Store(a, y + 9 * a.PixelStride, s9a);
        Store(a, y + 10 * a.PixelStride, s10a);
        Store(a, y + 11 * a.PixelStride, s11a);
        Store(a, y + 12 * a.PixelStride, s12a);
        Store(a, y + 13 * a.PixelStride, s13a);
    }

    private static void Tile8x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero;
        Vector512<float> s7a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                    s2a = Vector512.FusedMultiplyAdd(Vector512.Create(p[32]), wa, s2a);
                    s3a = Vector512.FusedMultiplyAdd(Vector512.Create(p[48]), wa, s3a);
                    s4a = Vector512.FusedMultiplyAdd(Vector512.Create(p[64]), wa, s4a);
                    s5a = Vector512.FusedMultiplyAdd(Vector512.Create(p[80]), wa, s5a);
                    s6a = Vector512.FusedMultiplyAdd(Vector512.Create(p[96]), wa, s6a);
                    s7a = Vector512.FusedMultiplyAdd(Vector512.Create(p[112]), wa, s7a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
        Store(a, y + 2 * a.PixelStride, s2a);
        Store(a, y + 3 * a.PixelStride, s3a);
        Store(a, y + 4 * a.PixelStride, s4a);
        Store(a, y + 5 * a.PixelStride, s5a);
        Store(a, y + 6 * a.PixelStride, s6a);
        Store(a, y + 7 * a.PixelStride, s7a);
    }

    private static void Tile7x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero;
        Vector512<float> s4a = Vector512<float>.Zero;
        Vector512<float> s5a = Vector512<float>.Zero;
        Vector512<float> s6a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                    s2a = Vector512.FusedMultiplyAdd(Vector512.Create(p[32]), wa, s2a);
                    s3a = Vector512.FusedMultiplyAdd(Vector512.Create(p[48]), wa, s3a);
                    s4a = Vector512.FusedMultiplyAdd(Vector512.Create(p[64]), wa, s4a);
                    s5a = Vector512.FusedMultiplyAdd(Vector512.Create(p[80]), wa, s5a);
                    s6a = Vector512.FusedMultiplyAdd(Vector512.Create(p[96]), wa, s6a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
        Store(a, y + 2 * a.PixelStride, s2a);
        Store(a, y + 3 * a.PixelStride, s3a);
        Store(a, y + 4 * a.PixelStride, s4a);
        Store(a, y + 5 * a.PixelStride, s5a);
        Store(a, y + 6 * a.PixelStride, s6a);
    }

    private static void Tile4x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                    s2a = Vector512.FusedMultiplyAdd(Vector512.Create(p[32]), wa, s2a);
                    s3a = Vector512.FusedMultiplyAdd(Vector512.Create(p[48]), wa, s3a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
        Store(a, y + 2 * a.PixelStride, s2a);
        Store(a, y + 3 * a.PixelStride, s3a);
    }

    private static void Tile2x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                    s1a = Vector512.FusedMultiplyAdd(Vector512.Create(p[16]), wa, s1a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
        Store(a, y + a.PixelStride, s1a);
    }

    private static void Tile1x1(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector512<float> wa = Vector512.Load(w);
                    s0a = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), wa, s0a);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a);
    }
}
