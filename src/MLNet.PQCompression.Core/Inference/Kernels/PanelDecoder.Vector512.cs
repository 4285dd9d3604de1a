using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Inference.Kernels;

/// <content>16 codewords at once in AVX-512 registers.</content>
internal static unsafe partial class PanelDecoder
{
    /// <summary>8 elements of 16 codewords: eight registers of two codewords each, transpositions of 4×4 within the quarters, then an exchange of quarters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightOfSixteen<TStride, TBytes>(float* elements, nint stride, byte* codes, int* rowOf, float* panel)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        Vector512<float> r0 = Two<TStride, TBytes>(elements, stride, codes, 0), r1 = Two<TStride, TBytes>(elements, stride, codes, 1);
        Vector512<float> r2 = Two<TStride, TBytes>(elements, stride, codes, 2), r3 = Two<TStride, TBytes>(elements, stride, codes, 3);
        Vector512<float> a = Avx512F.UnpackLow(r0, r2), b = Avx512F.UnpackHigh(r0, r2), c = Avx512F.UnpackLow(r1, r3), d = Avx512F.UnpackHigh(r1, r3);
        Vector512<float> p0 = Avx512F.UnpackLow(a, c), p1 = Avx512F.UnpackHigh(a, c), p2 = Avx512F.UnpackLow(b, d), p3 = Avx512F.UnpackHigh(b, d);
        r0 = Two<TStride, TBytes>(elements, stride, codes, 4);
        r1 = Two<TStride, TBytes>(elements, stride, codes, 5);
        r2 = Two<TStride, TBytes>(elements, stride, codes, 6);
        r3 = Two<TStride, TBytes>(elements, stride, codes, 7);
        (a, b, c, d) = (Avx512F.UnpackLow(r0, r2), Avx512F.UnpackHigh(r0, r2), Avx512F.UnpackLow(r1, r3), Avx512F.UnpackHigh(r1, r3));
        StorePair(p0, Avx512F.UnpackLow(a, c), panel + rowOf[0] * Width, panel + rowOf[4] * Width);
        StorePair(p1, Avx512F.UnpackHigh(a, c), panel + rowOf[1] * Width, panel + rowOf[5] * Width);
        StorePair(p2, Avx512F.UnpackLow(b, d), panel + rowOf[2] * Width, panel + rowOf[6] * Width);
        StorePair(p3, Avx512F.UnpackHigh(b, d), panel + rowOf[3] * Width, panel + rowOf[7] * Width);
    }

    /// <summary>Up to 4 elements of 16 codewords: four codewords beside each other in each of four registers, then transpositions of 4×4 within the quarters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourOfSixteen<TStride, TBytes>(float* elements, nint stride, byte* codes, int* rowOf, float* panel, int count)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        Vector512<float> r0 = EveryFourth<TStride, TBytes>(elements, stride, codes, 0), r1 = EveryFourth<TStride, TBytes>(elements, stride, codes, 1);
        Vector512<float> r2 = EveryFourth<TStride, TBytes>(elements, stride, codes, 2), r3 = EveryFourth<TStride, TBytes>(elements, stride, codes, 3);
        Vector512<float> a = Avx512F.UnpackLow(r0, r2), b = Avx512F.UnpackHigh(r0, r2), c = Avx512F.UnpackLow(r1, r3), d = Avx512F.UnpackHigh(r1, r3);
        Avx512F.UnpackLow(a, c).Store(panel + rowOf[0] * Width);
        if (count > 1)
            Avx512F.UnpackHigh(a, c).Store(panel + rowOf[1] * Width);
        if (count > 2)
            Avx512F.UnpackLow(b, d).Store(panel + rowOf[2] * Width);
        if (count > 3)
            Avx512F.UnpackHigh(b, d).Store(panel + rowOf[3] * Width);
    }

    /// <summary>8 elements of the codewords of a lane and of the one 8 further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Two<TStride, TBytes>(float* elements, nint stride, byte* codes, int lane)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant =>
        Avx512F.InsertVector256(
            Vector256.Load(At<TStride, TBytes>(elements, stride, codes, lane)).ToVector512Unsafe(), Vector256.Load(At<TStride, TBytes>(elements, stride, codes, lane + 8)), 1);

    /// <summary>4 elements of the codewords of a lane and of every fourth one after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> EveryFourth<TStride, TBytes>(float* elements, nint stride, byte* codes, int lane)
        where TStride : struct, IConstant
        where TBytes : struct, IConstant
    {
        Vector256<float> low = Vector256.Create(
            Vector128.Load(At<TStride, TBytes>(elements, stride, codes, lane)), Vector128.Load(At<TStride, TBytes>(elements, stride, codes, lane + 4)));
        Vector256<float> high = Vector256.Create(
            Vector128.Load(At<TStride, TBytes>(elements, stride, codes, lane + 8)), Vector128.Load(At<TStride, TBytes>(elements, stride, codes, lane + 12)));
        return Avx512F.InsertVector256(low.ToVector512Unsafe(), high, 1);
    }

    /// <summary>From the element of codewords 0-3 and 8-11 with the one four further, and the same of codewords 4-7 and 12-15, to a row of each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePair(Vector512<float> first, Vector512<float> second, float* row, float* rowFourFurther)
    {
        Avx512F.PermuteVar8x64x2(first.AsDouble(), Vector512.Create(0L, 1, 8, 9, 4, 5, 12, 13), second.AsDouble()).AsSingle().Store(row);
        Avx512F.PermuteVar8x64x2(first.AsDouble(), Vector512.Create(2L, 3, 10, 11, 6, 7, 14, 15), second.AsDouble()).AsSingle().Store(rowFourFurther);
    }
}
