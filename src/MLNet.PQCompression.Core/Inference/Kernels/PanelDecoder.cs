using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Decodes a panel of 32 output channels: panel[row(b·d + e), o] = codebook[code[b, o], e].</summary>
/// <remarks>The distance between codewords is a constant of the compiled variant for the usual block sizes, so that a code becomes an address by a shift.</remarks>
internal static unsafe partial class PanelDecoder
{
    private const int Width = TileOperands.PanelWidth;

    /// <summary>Decodes a panel.</summary>
    /// <param name="codebook">The codewords, each at a multiple of <paramref name="stride"/> and filled up to it.</param>
    /// <param name="stride">d, rounded up to a multiple of 4.</param>
    /// <param name="codes">[blocks, 32] codes.</param>
    /// <param name="bytesPerCode">1 or 2.</param>
    /// <param name="blocks">Blocks of a row of the weight.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="rowOf">The panel row of each of the blocks·d elements.</param>
    /// <param name="panel">Receives [rows, 32] values; rows that no element goes to stay as they are.</param>
    public static void Decode(float* codebook, int stride, byte* codes, int bytesPerCode, int blocks, int blockSize, int* rowOf, float* panel)
    {
        switch (stride)
        {
            case 4 when bytesPerCode == 1:
                Decode<Four, One>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                break;
            case 8 when bytesPerCode == 1:
                Decode<Eight, One>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                break;
            case 12 when bytesPerCode == 1:
                Decode<Twelve, One>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                break;
            case 4:
                Decode<Four, Two>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                break;
            default:
                if (bytesPerCode == 1)
                    Decode<Zero, One>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                else
                    Decode<Zero, Two>(codebook, stride, codes, blocks, blockSize, rowOf, panel);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Decode<TStride, TBytes>(float* codebook, nint stride, byte* codes, int blocks, int blockSize, int* rowOf, float* panel)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        for (; blocks > 0; blocks--, codes += Width * TBytes.Value, rowOf += blockSize)
        {
            int e = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                for (; e + 8 <= blockSize; e += 8)
                    for (int lane = 0; lane < Width; lane += 16)
                        EightOfSixteen<TStride, TBytes>(codebook + e, stride, codes + lane * TBytes.Value, rowOf + e, panel + lane);
                for (; e < blockSize; e += 4)
                    for (int lane = 0; lane < Width; lane += 16)
                        FourOfSixteen<TStride, TBytes>(codebook + e, stride, codes + lane * TBytes.Value, rowOf + e, panel + lane, blockSize - e);
            }
            for (; e < blockSize; e += 4)
                for (int lane = 0; lane < Width; lane += 4)
                    FourOfFour<TStride, TBytes>(codebook + e, stride, codes + lane * TBytes.Value, rowOf + e, panel + lane, blockSize - e);
        }
    }

    /// <summary>Up to 4 elements of four codewords: a transposition of 4×4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourOfFour<TStride, TBytes>(float* elements, nint stride, byte* codes, int* rowOf, float* panel, int count)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        Vector128<float> r0 = Vector128.Load(At<TStride, TBytes>(elements, stride, codes, 0)), r1 = Vector128.Load(At<TStride, TBytes>(elements, stride, codes, 1));
        Vector128<float> r2 = Vector128.Load(At<TStride, TBytes>(elements, stride, codes, 2)), r3 = Vector128.Load(At<TStride, TBytes>(elements, stride, codes, 3));
        PanelPacking.Transpose(ref r0, ref r1, ref r2, ref r3);
        r0.Store(panel + rowOf[0] * Width);
        if (count > 1)
            r1.Store(panel + rowOf[1] * Width);
        if (count > 2)
            r2.Store(panel + rowOf[2] * Width);
        if (count > 3)
            r3.Store(panel + rowOf[3] * Width);
    }

    /// <summary>Where the codeword of a code lies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* At<TStride, TBytes>(float* elements, nint stride, byte* codes, int lane)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        nuint code = TBytes.Value == 1 ? codes[lane] : ((ushort*)codes)[lane];
        return elements + code * (TStride.Value == 0 ? (nuint)stride : (nuint)TStride.Value);
    }
}
