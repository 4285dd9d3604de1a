using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <content>Tiles of 32 output channels for what is left of a row: four, two and one outputs.</content>
internal static unsafe partial class ConvolutionTiles
{
    private static void Tile4x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero, s1b = Vector512<float>.Zero;
        Vector512<float> s2a = Vector512<float>.Zero, s2b = Vector512<float>.Zero;
        Vector512<float> s3a = Vector512<float>.Zero, s3b = Vector512<float>.Zero;
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
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
        Store(a, y + 3 * a.PixelStride, s3a, s3b);
    }

    private static void Tile2x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
        Vector512<float> s1a = Vector512<float>.Zero, s1b = Vector512<float>.Zero;
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
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
    }

    private static void Tile1x2(in TileArguments a, float* x, float* y)
    {
        Vector512<float> s0a = Vector512<float>.Zero, s0b = Vector512<float>.Zero;
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
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
    }
}
