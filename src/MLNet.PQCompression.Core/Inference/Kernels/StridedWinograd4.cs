using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// F(4×4, 3×3) of stride 2 in 81 instead of 144 multiplications: along each dimension the outer taps see the even inputs, which F(4, 2) with the points
/// 0, 1, −1, 2, ∞ computes in 5 products, and the middle tap sees the odd inputs, in 4.
/// </summary>
internal readonly unsafe struct StridedWinograd4 : IWinograd
{
    public static int Outputs => 4;

    public static int Inputs => 9;

    public static int Stride => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T e0 = T.Load(from), e1 = T.Load(from + 2 * fromStride), e2 = T.Load(from + 4 * fromStride), e3 = T.Load(from + 6 * fromStride), e4 = T.Load(from + 8 * fromStride);
        T two = T.Create(2), minus2 = T.Create(-2), outer = e3 - e1;
        T.MultiplyAdd(two, e0 - e2, outer).Store(to);
        T.MultiplyAdd(minus2, e1, e3 - e2).Store(to + toStride);
        T.MultiplyAdd(two, e1, T.MultiplyAdd(T.Create(-3), e2, e3)).Store(to + 2 * toStride);
        outer.Store(to + 3 * toStride);
        T.MultiplyAdd(minus2, outer, e4 - e2).Store(to + 4 * toStride);
        for (int odd = 1; odd < 9; odd += 2)
            T.Load(from + odd * fromStride).Store(to + (4 + (odd + 1) / 2) * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weight<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T g0 = T.Load(from), g1 = T.Load(from + fromStride), g2 = T.Load(from + 2 * fromStride);
        (T.Create(0.5f) * g0).Store(to);
        (T.Create(-0.5f) * (g0 + g2)).Store(to + toStride);
        (T.Create(1f / 6) * (g2 - g0)).Store(to + 2 * toStride);
        T.MultiplyAdd(T.Create(1f / 6), g0, T.Create(1f / 3) * g2).Store(to + 3 * toStride);
        g2.Store(to + 4 * toStride);
        for (int odd = 5; odd < 9; odd++)
            g1.Store(to + odd * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T m1 = T.Load(from + fromStride), m2 = T.Load(from + 2 * fromStride), m3 = T.Load(from + 3 * fromStride);
        T sum = m1 + m2, difference = m1 - m2;
        (T.Load(from) + sum + m3 + T.Load(from + 5 * fromStride)).Store(to);
        (T.MultiplyAdd(T.Create(2), m3, difference) + T.Load(from + 6 * fromStride)).Store(to + toStride);
        (T.MultiplyAdd(T.Create(4), m3, sum) + T.Load(from + 7 * fromStride)).Store(to + 2 * toStride);
        (T.MultiplyAdd(T.Create(8), m3, difference) + T.Load(from + 4 * fromStride) + T.Load(from + 8 * fromStride)).Store(to + 3 * toStride);
    }
}
