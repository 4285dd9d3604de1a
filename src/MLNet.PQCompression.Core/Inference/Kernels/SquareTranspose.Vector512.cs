using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Inference.Kernels;

/// <content>16 rows and columns at once in AVX-512 registers: pairs, fours and eights of rows are interleaved, then the quarters of the registers exchanged.</content>
internal static unsafe partial class SquareTranspose
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run512(float* from, nint fromStride, float* to, nint toStride)
    {
        Vector512<float> a0 = Vector512.Load(from), a1 = Vector512.Load(from + fromStride), a2 = Vector512.Load(from + 2 * fromStride), a3 = Vector512.Load(from + 3 * fromStride);
        Fours(ref a0, ref a1, ref a2, ref a3);
        from += 4 * fromStride;
        Vector512<float> a4 = Vector512.Load(from), a5 = Vector512.Load(from + fromStride), a6 = Vector512.Load(from + 2 * fromStride), a7 = Vector512.Load(from + 3 * fromStride);
        Fours(ref a4, ref a5, ref a6, ref a7);
        from += 4 * fromStride;
        Vector512<float> a8 = Vector512.Load(from), a9 = Vector512.Load(from + fromStride), a10 = Vector512.Load(from + 2 * fromStride), a11 = Vector512.Load(from + 3 * fromStride);
        Fours(ref a8, ref a9, ref a10, ref a11);
        from += 4 * fromStride;
        Vector512<float> a12 = Vector512.Load(from), a13 = Vector512.Load(from + fromStride), a14 = Vector512.Load(from + 2 * fromStride), a15 = Vector512.Load(from + 3 * fromStride);
        Fours(ref a12, ref a13, ref a14, ref a15);
        Quarters(ref a0, ref a4, ref a8, ref a12);
        Quarters(ref a1, ref a5, ref a9, ref a13);
        Quarters(ref a2, ref a6, ref a10, ref a14);
        Quarters(ref a3, ref a7, ref a11, ref a15);
        a0.Store(to);
        a1.Store(to + toStride);
        a2.Store(to + 2 * toStride);
        a3.Store(to + 3 * toStride);
        a4.Store(to + 4 * toStride);
        a5.Store(to + 5 * toStride);
        a6.Store(to + 6 * toStride);
        a7.Store(to + 7 * toStride);
        a8.Store(to + 8 * toStride);
        a9.Store(to + 9 * toStride);
        a10.Store(to + 10 * toStride);
        a11.Store(to + 11 * toStride);
        a12.Store(to + 12 * toStride);
        a13.Store(to + 13 * toStride);
        a14.Store(to + 14 * toStride);
        a15.Store(to + 15 * toStride);
    }

    /// <summary>Transposes the 4×4 values within each quarter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fours(ref Vector512<float> r0, ref Vector512<float> r1, ref Vector512<float> r2, ref Vector512<float> r3)
    {
        Vector512<float> a = Avx512F.UnpackLow(r0, r2), b = Avx512F.UnpackHigh(r0, r2), c = Avx512F.UnpackLow(r1, r3), d = Avx512F.UnpackHigh(r1, r3);
        (r0, r1, r2, r3) = (Avx512F.UnpackLow(a, c), Avx512F.UnpackHigh(a, c), Avx512F.UnpackLow(b, d), Avx512F.UnpackHigh(b, d));
    }

    /// <summary>Transposes the 4×4 quarters of four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarters(ref Vector512<float> r0, ref Vector512<float> r1, ref Vector512<float> r2, ref Vector512<float> r3)
    {
        Vector512<float> a = Avx512F.Shuffle4x128(r0, r1, 0x44), b = Avx512F.Shuffle4x128(r0, r1, 0xEE);
        Vector512<float> c = Avx512F.Shuffle4x128(r2, r3, 0x44), d = Avx512F.Shuffle4x128(r2, r3, 0xEE);
        (r0, r1) = (Avx512F.Shuffle4x128(a, c, 0x88), Avx512F.Shuffle4x128(a, c, 0xDD));
        (r2, r3) = (Avx512F.Shuffle4x128(b, d, 0x88), Avx512F.Shuffle4x128(b, d, 0xDD));
    }
}
