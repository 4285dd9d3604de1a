using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <content>Tiles of 16 output channels in two halves, for machines of 256-bit vectors: with 16 registers, six pixels are twelve sums, two weights and one input.</content>
internal static unsafe partial class ConvolutionTiles
{
    private static void Tile6Halves(in TileArguments a, float* x, float* y)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        Vector256<float> s1a = Vector256<float>.Zero, s1b = Vector256<float>.Zero;
        Vector256<float> s2a = Vector256<float>.Zero, s2b = Vector256<float>.Zero;
        Vector256<float> s3a = Vector256<float>.Zero, s3b = Vector256<float>.Zero;
        Vector256<float> s4a = Vector256<float>.Zero, s4b = Vector256<float>.Zero;
        Vector256<float> s5a = Vector256<float>.Zero, s5b = Vector256<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector256<float> wa = Vector256.Load(w);
                    Vector256<float> wb = Vector256.Load(w + 8);
                    Vector256<float> x0 = Vector256.Create(p[0]);
                    s0a = Vector256.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector256.FusedMultiplyAdd(x0, wb, s0b);
                    Vector256<float> x1 = Vector256.Create(p[16]);
                    s1a = Vector256.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector256.FusedMultiplyAdd(x1, wb, s1b);
                    Vector256<float> x2 = Vector256.Create(p[32]);
                    s2a = Vector256.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector256.FusedMultiplyAdd(x2, wb, s2b);
                    Vector256<float> x3 = Vector256.Create(p[48]);
                    s3a = Vector256.FusedMultiplyAdd(x3, wa, s3a);
                    s3b = Vector256.FusedMultiplyAdd(x3, wb, s3b);
                    Vector256<float> x4 = Vector256.Create(p[64]);
                    s4a = Vector256.FusedMultiplyAdd(x4, wa, s4a);
                    s4b = Vector256.FusedMultiplyAdd(x4, wb, s4b);
                    Vector256<float> x5 = Vector256.Create(p[80]);
                    s5a = Vector256.FusedMultiplyAdd(x5, wa, s5a);
                    s5b = Vector256.FusedMultiplyAdd(x5, wb, s5b);
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
    }

    private static void Tile4Halves(in TileArguments a, float* x, float* y)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        Vector256<float> s1a = Vector256<float>.Zero, s1b = Vector256<float>.Zero;
        Vector256<float> s2a = Vector256<float>.Zero, s2b = Vector256<float>.Zero;
        Vector256<float> s3a = Vector256<float>.Zero, s3b = Vector256<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector256<float> wa = Vector256.Load(w);
                    Vector256<float> wb = Vector256.Load(w + 8);
                    Vector256<float> x0 = Vector256.Create(p[0]);
                    s0a = Vector256.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector256.FusedMultiplyAdd(x0, wb, s0b);
                    Vector256<float> x1 = Vector256.Create(p[16]);
                    s1a = Vector256.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector256.FusedMultiplyAdd(x1, wb, s1b);
                    Vector256<float> x2 = Vector256.Create(p[32]);
                    s2a = Vector256.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector256.FusedMultiplyAdd(x2, wb, s2b);
                    Vector256<float> x3 = Vector256.Create(p[48]);
                    s3a = Vector256.FusedMultiplyAdd(x3, wa, s3a);
                    s3b = Vector256.FusedMultiplyAdd(x3, wb, s3b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
        Store(a, y + 3 * a.PixelStride, s3a, s3b);
    }

    private static void Tile3Halves(in TileArguments a, float* x, float* y)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        Vector256<float> s1a = Vector256<float>.Zero, s1b = Vector256<float>.Zero;
        Vector256<float> s2a = Vector256<float>.Zero, s2b = Vector256<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector256<float> wa = Vector256.Load(w);
                    Vector256<float> wb = Vector256.Load(w + 8);
                    Vector256<float> x0 = Vector256.Create(p[0]);
                    s0a = Vector256.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector256.FusedMultiplyAdd(x0, wb, s0b);
                    Vector256<float> x1 = Vector256.Create(p[16]);
                    s1a = Vector256.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector256.FusedMultiplyAdd(x1, wb, s1b);
                    Vector256<float> x2 = Vector256.Create(p[32]);
                    s2a = Vector256.FusedMultiplyAdd(x2, wa, s2a);
                    s2b = Vector256.FusedMultiplyAdd(x2, wb, s2b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
        Store(a, y + 2 * a.PixelStride, s2a, s2b);
    }

    private static void Tile2Halves(in TileArguments a, float* x, float* y)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        Vector256<float> s1a = Vector256<float>.Zero, s1b = Vector256<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector256<float> wa = Vector256.Load(w);
                    Vector256<float> wb = Vector256.Load(w + 8);
                    Vector256<float> x0 = Vector256.Create(p[0]);
                    s0a = Vector256.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector256.FusedMultiplyAdd(x0, wb, s0b);
                    Vector256<float> x1 = Vector256.Create(p[16]);
                    s1a = Vector256.FusedMultiplyAdd(x1, wa, s1a);
                    s1b = Vector256.FusedMultiplyAdd(x1, wb, s1b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
        Store(a, y + a.PixelStride, s1a, s1b);
    }

    private static void Tile1Halves(in TileArguments a, float* x, float* y)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        float* w = a.Weights;
        for (int block = 0; block < a.Blocks; block++)
        {
            int channels = block == a.Blocks - 1 ? a.LastBlockChannels : 16;
            for (int tap = 0; tap < a.Taps; tap++)
            {
                float* p = x + a.TapOffsets[tap];
                for (int c = 0; c < channels; c++, p++, w += 16)
                {
                    Vector256<float> wa = Vector256.Load(w);
                    Vector256<float> wb = Vector256.Load(w + 8);
                    Vector256<float> x0 = Vector256.Create(p[0]);
                    s0a = Vector256.FusedMultiplyAdd(x0, wa, s0a);
                    s0b = Vector256.FusedMultiplyAdd(x0, wb, s0b);
                }
            }
            x += a.BlockStride;
        }
        Store(a, y, s0a, s0b);
    }
}
