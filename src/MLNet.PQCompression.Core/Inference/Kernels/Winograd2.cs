using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>F(2×2, 3×3) with the points 0, 1, −1, ∞: 16 multiplications for 4 outputs.</summary>
internal readonly unsafe struct Winograd2 : IWinograd
{
    public static int Outputs => 2;

    public static int Inputs => 4;

    public static int Stride => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T d0 = T.Load(from), d1 = T.Load(from + fromStride), d2 = T.Load(from + 2 * fromStride), d3 = T.Load(from + 3 * fromStride);
        (d0 - d2).Store(to);
        (d1 + d2).Store(to + toStride);
        (d2 - d1).Store(to + 2 * toStride);
        (d1 - d3).Store(to + 3 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weight<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T g0 = T.Load(from), g1 = T.Load(from + fromStride), g2 = T.Load(from + 2 * fromStride), half = T.Create(0.5f);
        T even = half * (g0 + g2), odd = half * g1;
        g0.Store(to);
        (even + odd).Store(to + toStride);
        (even - odd).Store(to + 2 * toStride);
        g2.Store(to + 3 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>
    {
        T m0 = T.Load(from), m1 = T.Load(from + fromStride), m2 = T.Load(from + 2 * fromStride), m3 = T.Load(from + 3 * fromStride);
        (m0 + m1 + m2).Store(to);
        (m1 - m2 - m3).Store(to + toStride);
    }
}
