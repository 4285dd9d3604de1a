using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>The inner kernel of a convolution's weight gradient.</summary>
internal static unsafe class WeightGradientTile
{
    /// <summary>dw[c][o] += Σ over pixels of x[pixel][c]·dy[pixel][o] for 16 input channels c and 16 output channels o.</summary>
    /// <param name="x">The first pixel of the packed input under one tap; pixels are 16 values apart.</param>
    /// <param name="xRow">Distance between rows of x.</param>
    /// <param name="dy">The gradient's first pixel.</param>
    /// <param name="dyPixel">Distance between pixels of dy.</param>
    /// <param name="dyRow">Distance between rows of dy.</param>
    /// <param name="rows">Rows of pixels.</param>
    /// <param name="columns">Pixels in a row.</param>
    /// <param name="dw">The sums, 16 rows.</param>
    /// <param name="dwRow">Distance between rows of dw.</param>
    public static void Accumulate(float* x, int xRow, float* dy, int dyPixel, int dyRow, int rows, int columns, float* dw, int dwRow)
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
            for (int column = 0; column < columns; column++, p += 16, g += dyPixel)
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
