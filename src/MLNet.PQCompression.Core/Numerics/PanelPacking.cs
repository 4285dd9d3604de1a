using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Numerics;

/// <summary>Copies a strip of a matrix into a packed panel: for each step along k the values across the strip, padded with zeros to the panel's width.</summary>
internal static unsafe class PanelPacking
{
    /// <summary>panel[p·width + i] = source(i, p) for i below count, 0 for the rest of the width.</summary>
    /// <param name="source">The strip's first value.</param>
    /// <param name="stride">Distance between the source's rows.</param>
    /// <param name="rowsAlongK">Whether the source's rows run across the strip, source(i, p) = source[p·stride + i], or along k, source[i·stride + p].</param>
    /// <param name="count">Values across the strip, at most <paramref name="width"/>.</param>
    /// <param name="k">Steps along k.</param>
    /// <param name="width">The panel's width.</param>
    /// <param name="panel">k·width values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float* source, nint stride, bool rowsAlongK, int count, int k, int width, float* panel)
    {
        if (count < width)
            new Span<float>(panel, k * width).Clear();
        if (!rowsAlongK)
        {
            for (int p = 0; p < k; p++)
                Copy(source + p * stride, count, panel + (nint)p * width);
            return;
        }
        int i = 0;
        for (; i + 4 <= count; i += 4)
            TransposeFour(source + i * stride, stride, k, width, panel + i);
        for (; i < count; i++)
            for (int p = 0; p < k; p++)
                panel[(nint)p * width + i] = source[i * stride + p];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* source, int count, float* target)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
            for (; i + 16 <= count; i += 16)
                Vector512.Load(source + i).Store(target + i);
        if (Vector256.IsHardwareAccelerated)
            for (; i + 8 <= count; i += 8)
                Vector256.Load(source + i).Store(target + i);
        for (; i + 4 <= count; i += 4)
            Vector128.Load(source + i).Store(target + i);
        for (; i < count; i++)
            target[i] = source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(float* source, nint stride, int k, int width, float* panel)
    {
        float* s0 = source, s1 = s0 + stride, s2 = s1 + stride, s3 = s2 + stride;
        int p = 0;
        for (; p + 4 <= k; p += 4)
        {
            Vector128<float> r0 = Vector128.Load(s0 + p), r1 = Vector128.Load(s1 + p), r2 = Vector128.Load(s2 + p), r3 = Vector128.Load(s3 + p);
            Transpose(ref r0, ref r1, ref r2, ref r3);
            float* t = panel + (nint)p * width;
            r0.Store(t);
            r1.Store(t + width);
            r2.Store(t + 2 * width);
            r3.Store(t + 3 * width);
        }
        for (; p < k; p++)
        {
            float* t = panel + (nint)p * width;
            (t[0], t[1], t[2], t[3]) = (s0[p], s1[p], s2[p], s3[p]);
        }
    }

    /// <summary>Transposes a 4×4 matrix given by its rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector128<float> r0, ref Vector128<float> r1, ref Vector128<float> r2, ref Vector128<float> r3)
    {
        Vector128<float> a = ZipLow(r0, r2), b = ZipHigh(r0, r2), c = ZipLow(r1, r3), d = ZipHigh(r1, r3);
        (r0, r1, r2, r3) = (ZipLow(a, c), ZipHigh(a, c), ZipLow(b, d), ZipHigh(b, d));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);
}
