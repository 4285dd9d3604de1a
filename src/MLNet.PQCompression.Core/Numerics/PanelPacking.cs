using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Numerics;

/// <summary>Copies a strip of a matrix into packed panels: for each step along k the values across a panel, padded with zeros to its width.</summary>
internal static unsafe class PanelPacking
{
    /// <summary>For panel q: panels[q·k·width + p·width + i] = source(q·width + i, p), and 0 where q·width + i is not below count.</summary>
    /// <param name="source">The strip's first value.</param>
    /// <param name="stride">Distance between the source's rows.</param>
    /// <param name="rowsAlongK">Whether the source's rows run along k, source(i, p) = source[i·stride + p], or across the strip, source[p·stride + i].</param>
    /// <param name="count">Values across the strip.</param>
    /// <param name="k">Steps along k.</param>
    /// <param name="width">The panels' width.</param>
    /// <param name="panels">As many panels of k·width values as the strip fills.</param>
    public static void Pack(float* source, nint stride, bool rowsAlongK, int count, int k, int width, float* panels)
    {
        int whole = count / width, rest = count % width;
        float* last = panels + (nint)whole * k * width;
        if (rest > 0)
            new Span<float>(last, k * width).Clear();
        if (!rowsAlongK)
        {
            CopyRows(source, stride, whole, k, width, panels);
            for (int p = 0; p < k; p++)
                Copy(source + p * stride + whole * width, rest, last + (nint)p * width);
            return;
        }
        for (int q = 0; q < whole; q++)
            Transpose(source + q * width * stride, stride, width, k, width, panels + (nint)q * k * width);
        Transpose(source + whole * width * stride, stride, rest, k, width, last);
    }

    /// <summary>Whole panels from rows across them, each row read once from its start to its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows(float* source, nint stride, int count, int k, int width, float* panels)
    {
        // Whole vectors may reach into the panel's next row, which is written after this one, and read from the source's: both are there but for the last row.
        int rounded = (width + 7) & ~7, padded = Vector256.IsHardwareAccelerated && stride >= rounded - width ? k - 1 : 0;
        nint panel = (nint)k * width;
        for (int p = 0; p < k; p++)
        {
            float* s = source + p * stride, t = panels + (nint)p * width;
            int length = p < padded ? rounded : width;
            for (int q = 0; q < count; q++, s += width, t += panel)
                Copy(s, length, t);
        }
    }

    /// <summary>One panel from rows along k.</summary>
    private static void Transpose(float* source, nint stride, int count, int k, int width, float* panel)
    {
        int i = 0;
        for (; i + 4 <= count; i += 4)
            TransposeFour(source + i * stride, stride, k, width, panel + i);
        if (i < count && count > 4)
            TransposeFour(source + (count - 4) * stride, stride, k, width, panel + count - 4);
        else
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
