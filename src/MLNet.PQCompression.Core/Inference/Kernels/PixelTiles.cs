using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Picks the compiled variant of a pixel tile for a stride and a number of pixels.</summary>
internal static class PixelTiles<TTile>
    where TTile : struct, IPixelTile
{
    /// <summary>Whether tiles exist for inputs this far apart.</summary>
    public static bool Supports(int stride) => stride is 1 or 2 or 4 or 16 or 32;

    /// <summary>Computes a tile; see <see cref="IPixelTile.Multiply"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int stride, int pixels, bool wide, ref readonly TileOperands t, ref readonly TileEpilogue e)
    {
        switch (stride)
        {
            case 1: Multiply<One>(pixels, wide, in t, in e); break;
            case 2: Multiply<Two>(pixels, wide, in t, in e); break;
            case 4: Multiply<Four>(pixels, wide, in t, in e); break;
            case 16: Multiply<Sixteen>(pixels, wide, in t, in e); break;
            case 32: Multiply<ThirtyTwo>(pixels, wide, in t, in e); break;
            default: throw new ArgumentOutOfRangeException(nameof(stride), stride, null);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TStride>(int pixels, bool wide, ref readonly TileOperands t, ref readonly TileEpilogue e)
        where TStride : struct, IConstant
    {
        switch (pixels)
        {
            case 1: TTile.Multiply<TStride, One>(in t, in e, wide); break;
            case 2: TTile.Multiply<TStride, Two>(in t, in e, wide); break;
            case 3: TTile.Multiply<TStride, Three>(in t, in e, wide); break;
            case 4: TTile.Multiply<TStride, Four>(in t, in e, wide); break;
            case 5: TTile.Multiply<TStride, Five>(in t, in e, wide); break;
            case 6: TTile.Multiply<TStride, Six>(in t, in e, wide); break;
            case 7: TTile.Multiply<TStride, Seven>(in t, in e, wide); break;
            case 8: TTile.Multiply<TStride, Eight>(in t, in e, wide); break;
            case 9: TTile.Multiply<TStride, Nine>(in t, in e, wide); break;
            case 10: TTile.Multiply<TStride, Ten>(in t, in e, wide); break;
            case 11: TTile.Multiply<TStride, Eleven>(in t, in e, wide); break;
            case 12: TTile.Multiply<TStride, Twelve>(in t, in e, wide); break;
            case 13: TTile.Multiply<TStride, Thirteen>(in t, in e, wide); break;
            case 14: TTile.Multiply<TStride, Fourteen>(in t, in e, wide); break;
            default: throw new ArgumentOutOfRangeException(nameof(pixels), pixels, null);
        }
    }
}
