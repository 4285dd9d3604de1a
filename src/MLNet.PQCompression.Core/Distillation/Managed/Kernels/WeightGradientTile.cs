using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>The inner kernel of a convolution's weight gradient.</summary>
internal static unsafe class WeightGradientTile
{
    private const int PixelsTogether = 64;

    /// <summary>dw[c][o] += Σ over pixels of x[pixel][c]·dy[pixel][o] for 16 input channels c and 16 output channels o.</summary>
    /// <param name="level">The vectors to use.</param>
    /// <param name="x">The first pixel of the packed input under one tap; pixels are 16 values apart.</param>
    /// <param name="xRow">Distance between rows of x.</param>
    /// <param name="dy">The packed gradient's first pixel.</param>
    /// <param name="dyRow">Distance between rows of dy.</param>
    /// <param name="rows">Rows of pixels.</param>
    /// <param name="columns">Pixels in a row.</param>
    /// <param name="dw">The sums, 16 rows.</param>
    /// <param name="dwRow">Distance between rows of dw.</param>
    public static void Accumulate(SimdLevel level, float* x, int xRow, float* dy, int dyRow, int rows, int columns, float* dw, int dwRow)
    {
        if (level == SimdLevel.Vector512)
        {
            Sixteen(x, xRow, dy, dyRow, rows, columns, dw, dwRow);
            return;
        }
        // A few rows at a time, which stay in the first-level cache while all channels are summed.
        int together = Math.Max(1, PixelsTogether / columns);
        for (int row = 0; row < rows; row += together)
            for (int c = 0; c < 16; c += 4)
                Four(x + (long)row * xRow + c, xRow, dy + (long)row * dyRow, dyRow, Math.Min(together, rows - row), columns, dw + c * dwRow, dwRow);
    }

    /// <summary>Four input channels, with 256-bit vectors: eight sums, two gradients and the inputs fit 16 registers.</summary>
    private static void Four(float* x, int xRow, float* dy, int dyRow, int rows, int columns, float* dw, int dwRow)
    {
        Vector256<float> s0a = Vector256<float>.Zero, s0b = Vector256<float>.Zero;
        Vector256<float> s1a = Vector256<float>.Zero, s1b = Vector256<float>.Zero;
        Vector256<float> s2a = Vector256<float>.Zero, s2b = Vector256<float>.Zero;
        Vector256<float> s3a = Vector256<float>.Zero, s3b = Vector256<float>.Zero;
        for (int row = 0; row < rows; row++)
        {
            float* p = x + (long)row * xRow;
            float* g = dy + (long)row * dyRow;
            for (int column = 0; column < columns; column++, p += 16, g += 16)
            {
                Vector256<float> va = Vector256.Load(g);
                Vector256<float> vb = Vector256.Load(g + 8);
                Vector256<float> x0 = Vector256.Create(p[0]);
                s0a = Vector256.FusedMultiplyAdd(x0, va, s0a);
                s0b = Vector256.FusedMultiplyAdd(x0, vb, s0b);
                Vector256<float> x1 = Vector256.Create(p[1]);
                s1a = Vector256.FusedMultiplyAdd(x1, va, s1a);
                s1b = Vector256.FusedMultiplyAdd(x1, vb, s1b);
                Vector256<float> x2 = Vector256.Create(p[2]);
                s2a = Vector256.FusedMultiplyAdd(x2, va, s2a);
                s2b = Vector256.FusedMultiplyAdd(x2, vb, s2b);
                Vector256<float> x3 = Vector256.Create(p[3]);
                s3a = Vector256.FusedMultiplyAdd(x3, va, s3a);
                s3b = Vector256.FusedMultiplyAdd(x3, vb, s3b);
            }
        }
        Add(dw, s0a, s0b);
        Add(dw + dwRow, s1a, s1b);
        Add(dw + 2 * dwRow, s2a, s2b);
        Add(dw + 3 * dwRow, s3a, s3b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* dw, Vector256<float> first, Vector256<float> second)
    {
        (Vector256.Load(dw) + first).Store(dw);
        (Vector256.Load(dw + 8) + second).Store(dw + 8);
    }

    private static void Sixteen(float* x, int xRow, float* dy, int dyRow, int rows, int columns, float* dw, int dwRow)
    {
        Vector512<float> s0 = Vector512<float>.Zero;
        Vector512<float> s1 = Vector512<float>.Zero;
        Vector512<float> s2 = Vector512<float>.Zero;
        Vector512<float> s3 = Vector512<float>.Zero;
        Vector512<float> s4 = Vector512<float>.Zero;
        Vector512<float> s5 = Vector512<float>.Zero;
        Vector512<float> s6 = Vector512<float>.Zero;
        Vector512<float> s7 = Vector512<float>.Zero;
        Vector512<float> s8 = Vector512<float>.Zero;
        Vector512<float> s9 = Vector512<float>.Zero;
        Vector512<float> s10 = Vector512<float>.Zero;
        Vector512<float> s11 = Vector512<float>.Zero;
        Vector512<float> s12 = Vector512<float>.Zero;
        Vector512<float> s13 = Vector512<float>.Zero;
        Vector512<float> s14 = Vector512<float>.Zero;
        Vector512<float> s15 = Vector512<float>.Zero;
        for (int row = 0; row < rows; row++)
        {
            float* p = x + (long)row * xRow;
            float* g = dy + (long)row * dyRow;
            for (int column = 0; column < columns; column++, p += 16, g += 16)
            {
                Vector512<float> v = Vector512.Load(g);
                s0 = Vector512.FusedMultiplyAdd(Vector512.Create(p[0]), v, s0);
                s1 = Vector512.FusedMultiplyAdd(Vector512.Create(p[1]), v, s1);
                s2 = Vector512.FusedMultiplyAdd(Vector512.Create(p[2]), v, s2);
                s3 = Vector512.FusedMultiplyAdd(Vector512.Create(p[3]), v, s3);
                s4 = Vector512.FusedMultiplyAdd(Vector512.Create(p[4]), v, s4);
                s5 = Vector512.FusedMultiplyAdd(Vector512.Create(p[5]), v, s5);
                s6 = Vector512.FusedMultiplyAdd(Vector512.Create(p[6]), v, s6);
                s7 = Vector512.FusedMultiplyAdd(Vector512.Create(p[7]), v, s7);
                s8 = Vector512.FusedMultiplyAdd(Vector512.Create(p[8]), v, s8);
                s9 = Vector512.FusedMultiplyAdd(Vector512.Create(p[9]), v, s9);
                s10 = Vector512.FusedMultiplyAdd(Vector512.Create(p[10]), v, s10);
                s11 = Vector512.FusedMultiplyAdd(Vector512.Create(p[11]), v, s11);
                s12 = Vector512.FusedMultiplyAdd(Vector512.Create(p[12]), v, s12);
                s13 = Vector512.FusedMultiplyAdd(Vector512.Create(p[13]), v, s13);
                s14 = Vector512.FusedMultiplyAdd(Vector512.Create(p[14]), v, s14);
                s15 = Vector512.FusedMultiplyAdd(Vector512.Create(p[15]), v, s15);
            }
        }
        (Vector512.Load(dw) + s0).Store(dw);
        (Vector512.Load(dw + dwRow) + s1).Store(dw + dwRow);
        (Vector512.Load(dw + 2 * dwRow) + s2).Store(dw + 2 * dwRow);
        (Vector512.Load(dw + 3 * dwRow) + s3).Store(dw + 3 * dwRow);
        (Vector512.Load(dw + 4 * dwRow) + s4).Store(dw + 4 * dwRow);
        (Vector512.Load(dw + 5 * dwRow) + s5).Store(dw + 5 * dwRow);
        (Vector512.Load(dw + 6 * dwRow) + s6).Store(dw + 6 * dwRow);
        (Vector512.Load(dw + 7 * dwRow) + s7).Store(dw + 7 * dwRow);
        (Vector512.Load(dw + 8 * dwRow) + s8).Store(dw + 8 * dwRow);
        (Vector512.Load(dw + 9 * dwRow) + s9).Store(dw + 9 * dwRow);
        (Vector512.Load(dw + 10 * dwRow) + s10).Store(dw + 10 * dwRow);
        (Vector512.Load(dw + 11 * dwRow) + s11).Store(dw + 11 * dwRow);
        (Vector512.Load(dw + 12 * dwRow) + s12).Store(dw + 12 * dwRow);
        (Vector512.Load(dw + 13 * dwRow) + s13).Store(dw + 13 * dwRow);
        (Vector512.Load(dw + 14 * dwRow) + s14).Store(dw + 14 * dwRow);
        (Vector512.Load(dw + 15 * dwRow) + s15).Store(dw + 15 * dwRow);
    }
}
