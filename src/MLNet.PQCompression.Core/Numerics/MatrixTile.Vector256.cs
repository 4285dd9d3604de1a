using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Numerics;

/// <summary>6×16 values of C in 12 of the 16 AVX registers.</summary>
internal readonly unsafe struct MatrixTile256 : IMatrixTile
{
    public static int Rows => 6;

    public static int Columns => 16;

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
        Vector256<float> c0l = Vector256<float>.Zero, c0h = Vector256<float>.Zero;
        Vector256<float> c1l = Vector256<float>.Zero, c1h = Vector256<float>.Zero;
        Vector256<float> c2l = Vector256<float>.Zero, c2h = Vector256<float>.Zero;
        Vector256<float> c3l = Vector256<float>.Zero, c3h = Vector256<float>.Zero;
        Vector256<float> c4l = Vector256<float>.Zero, c4h = Vector256<float>.Zero;
        Vector256<float> c5l = Vector256<float>.Zero, c5h = Vector256<float>.Zero;
        for (; k > 0; k--)
        {
            Vector256<float> l = Vector256.Load(b), h = Vector256.Load(b + 8), x;
            x = Vector256.Create(a[0]);
            c0l = Fma.MultiplyAdd(x, l, c0l);
            c0h = Fma.MultiplyAdd(x, h, c0h);
            x = Vector256.Create(a[1]);
            c1l = Fma.MultiplyAdd(x, l, c1l);
            c1h = Fma.MultiplyAdd(x, h, c1h);
            if (TRows.Count > 2)
            {
                x = Vector256.Create(a[2]);
                c2l = Fma.MultiplyAdd(x, l, c2l);
                c2h = Fma.MultiplyAdd(x, h, c2h);
                x = Vector256.Create(a[3]);
                c3l = Fma.MultiplyAdd(x, l, c3l);
                c3h = Fma.MultiplyAdd(x, h, c3h);
            }
            if (TRows.Count > 4)
            {
                x = Vector256.Create(a[4]);
                c4l = Fma.MultiplyAdd(x, l, c4l);
                c4h = Fma.MultiplyAdd(x, h, c4h);
                x = Vector256.Create(a[5]);
                c5l = Fma.MultiplyAdd(x, l, c5l);
                c5h = Fma.MultiplyAdd(x, h, c5h);
            }
            a += 6;
            b += 16;
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
    private static void Store(float* c, Vector256<float> l, Vector256<float> h, float beta)
    {
        if (beta != 0)
        {
            Vector256<float> scale = Vector256.Create(beta);
            l = Fma.MultiplyAdd(scale, Vector256.Load(c), l);
            h = Fma.MultiplyAdd(scale, Vector256.Load(c + 8), h);
        }
        l.Store(c);
        h.Store(c + 8);
    }
}
