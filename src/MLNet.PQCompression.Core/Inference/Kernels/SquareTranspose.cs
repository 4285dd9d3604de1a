using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Transposes 16 rows of values.</summary>
internal static unsafe class SquareTranspose
{
    /// <summary>to[j, i] = from[i, j] for i below 16 and j below <paramref name="columns"/>, a multiple of 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* from, nint fromStride, float* to, nint toStride, int columns = 16)
    {
        for (int i = 0; i < 16; i += 4)
            for (int j = 0; j < columns; j += 4)
            {
                float* s = from + i * fromStride + j, t = to + j * toStride + i;
                Vector128<float> r0 = Vector128.Load(s), r1 = Vector128.Load(s + fromStride), r2 = Vector128.Load(s + 2 * fromStride), r3 = Vector128.Load(s + 3 * fromStride);
                PanelPacking.Transpose(ref r0, ref r1, ref r2, ref r3);
                r0.Store(t);
                r1.Store(t + toStride);
                r2.Store(t + 2 * toStride);
                r3.Store(t + 3 * toStride);
            }
    }
}
