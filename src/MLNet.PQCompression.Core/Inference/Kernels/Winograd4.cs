using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>F(4×4, 3×3) with the points 0, 1, −1, 2, −2, ∞: 36 multiplications for 16 outputs.</summary>
internal readonly unsafe struct Winograd4 : IWinograd
{
    public static int Outputs => 4;

    public static int Inputs => 6;

    public static int Stride => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T d0 = T.Load(from), d1 = T.Load(from + fromStride), d2 = T.Load(from + 2 * fromStride);
        T d3 = T.Load(from + 3 * fromStride), d4 = T.Load(from + 4 * fromStride), d5 = T.Load(from + 5 * fromStride);
        T minus4 = T.Create(-4), minus5 = T.Create(-5), four = T.Create(4), two = T.Create(2);
        T even = T.MultiplyAdd(minus4, d2, d4), odd = T.MultiplyAdd(minus4, d1, d3);
        T even2 = d4 - d2, odd2 = two * (d3 - d1);
        T.MultiplyAdd(four, d0, T.MultiplyAdd(minus5, d2, d4)).Store(to);
        (even + odd).Store(to + toStride);
        (even - odd).Store(to + 2 * toStride);
        (even2 + odd2).Store(to + 3 * toStride);
        (even2 - odd2).Store(to + 4 * toStride);
        T.MultiplyAdd(four, d1, T.MultiplyAdd(minus5, d3, d5)).Store(to + 5 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weight<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T g0 = T.Load(from), g1 = T.Load(from + fromStride), g2 = T.Load(from + 2 * fromStride);
        T even = T.Create(-1f / 6) * (g0 + g2), odd = T.Create(-1f / 6) * g1;
        T even2 = T.MultiplyAdd(T.Create(1f / 24), g0, T.Create(1f / 6) * g2), odd2 = T.Create(1f / 12) * g1;
        (T.Create(0.25f) * g0).Store(to);
        (even + odd).Store(to + toStride);
        (even - odd).Store(to + 2 * toStride);
        (even2 + odd2).Store(to + 3 * toStride);
        (even2 - odd2).Store(to + 4 * toStride);
        g2.Store(to + 5 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T m0 = T.Load(from), m1 = T.Load(from + fromStride), m2 = T.Load(from + 2 * fromStride);
        T m3 = T.Load(from + 3 * fromStride), m4 = T.Load(from + 4 * fromStride), m5 = T.Load(from + 5 * fromStride);
        T sum = m1 + m2, difference = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
        (m0 + sum + sum2).Store(to);
        T.MultiplyAdd(T.Create(2), difference2, difference).Store(to + toStride);
        T.MultiplyAdd(T.Create(4), sum2, sum).Store(to + 2 * toStride);
        (T.MultiplyAdd(T.Create(8), difference2, difference) + m5).Store(to + 3 * toStride);
    }
}
