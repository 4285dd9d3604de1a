using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Transposes 16 rows or columns of values.</summary>
internal static unsafe partial class SquareTranspose
{
    /// <summary>to[j, i] = from[i, j] for i below <paramref name="rows"/> and j below <paramref name="columns"/>, multiples of 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* from, nint fromStride, float* to, nint toStride, int columns = 16, int rows = 16)
    {
        if (Vector512.IsHardwareAccelerated && rows == 16 && columns == 16)
        {
            Run512(from, fromStride, to, toStride);
            return;
        }
        for (int i = 0; i < rows; i += 4)
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
