using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Numerics;

/// <summary>6×8 values of C in 12 of 16 (SSE) or 32 (AdvSimd) registers; also the scalar fallback where there are none.</summary>
internal readonly unsafe struct MatrixTile128 : IMatrixTile
{
    public static int Rows => 6;

    public static int Columns => 8;

    public static int RowStep => 2;

    public static void Multiply(int rows, int k, float* a, float* b, float* c, nint ldc, float beta)
    {
        if (rows > 4)
            Multiply<Rows6>(k, a, b, c, ldc, beta);
        else if (rows > 2)
            Multiply<Rows4>(k, a, b, c, ldc, beta);
        else
            Multiply<Rows2>(k, a, b, c, ldc, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows>(int k, float* a, float* b, float* c, nint ldc, float beta)
        where TRows : struct, IRowCount
    {
        Vector128<float> c0l = Vector128<float>.Zero, c0h = Vector128<float>.Zero;
        Vector128<float> c1l = Vector128<float>.Zero, c1h = Vector128<float>.Zero;
        Vector128<float> c2l = Vector128<float>.Zero, c2h = Vector128<float>.Zero;
        Vector128<float> c3l = Vector128<float>.Zero, c3h = Vector128<float>.Zero;
        Vector128<float> c4l = Vector128<float>.Zero, c4h = Vector128<float>.Zero;
        Vector128<float> c5l = Vector128<float>.Zero, c5h = Vector128<float>.Zero;
        for (; k > 0; k--)
        {
            Vector128<float> l = Vector128.Load(b), h = Vector128.Load(b + 4), x;
            x = Vector128.Create(a[0]);
            c0l = Vector128.MultiplyAddEstimate(x, l, c0l);
            c0h = Vector128.MultiplyAddEstimate(x, h, c0h);
            x = Vector128.Create(a[1]);
            c1l = Vector128.MultiplyAddEstimate(x, l, c1l);
            c1h = Vector128.MultiplyAddEstimate(x, h, c1h);
            if (TRows.Count > 2)
            {
                x = Vector128.Create(a[2]);
                c2l = Vector128.MultiplyAddEstimate(x, l, c2l);
                c2h = Vector128.MultiplyAddEstimate(x, h, c2h);
                x = Vector128.Create(a[3]);
                c3l = Vector128.MultiplyAddEstimate(x, l, c3l);
                c3h = Vector128.MultiplyAddEstimate(x, h, c3h);
            }
            if (TRows.Count > 4)
            {
                x = Vector128.Create(a[4]);
                c4l = Vector128.MultiplyAddEstimate(x, l, c4l);
                c4h = Vector128.MultiplyAddEstimate(x, h, c4h);
                x = Vector128.Create(a[5]);
                c5l = Vector128.MultiplyAddEstimate(x, l, c5l);
                c5h = Vector128.MultiplyAddEstimate(x, h, c5h);
            }
            a += 6;
            b += 8;
        }
        Store(c, c0l, c0h, beta);
        Store(c + ldc, c1l, c1h, beta);
        if (TRows.Count > 2)
        {
            Store(c + 2 * ldc, c2l, c2h, beta);
            Store(c + 3 * ldc, c3l, c3h, beta);
        }
        if (TRows.Count > 4)
        {
            Store(c + 4 * ldc, c4l, c4h, beta);
            Store(c + 5 * ldc, c5l, c5h, beta);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector128<float> l, Vector128<float> h, float beta)
    {
        if (beta != 0)
        {
            Vector128<float> scale = Vector128.Create(beta);
            l = Vector128.MultiplyAddEstimate(scale, Vector128.Load(c), l);
            h = Vector128.MultiplyAddEstimate(scale, Vector128.Load(c + 4), h);
        }
        l.Store(c);
        h.Store(c + 4);
    }
}
