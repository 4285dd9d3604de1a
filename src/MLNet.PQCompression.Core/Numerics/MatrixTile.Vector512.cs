using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Numerics;

/// <summary>12×32 values of C in 24 of the 32 AVX-512 registers.</summary>
internal readonly unsafe struct MatrixTile512 : IMatrixTile
{
    public static int Rows => 12;

    public static int Columns => 32;

    public static int RowStep => 4;

    public static void Multiply(int rows, int k, float* a, float* b, float* c, nint ldc, float beta)
    {
        if (rows > 8)
            Multiply<Rows12>(k, a, b, c, ldc, beta);
        else if (rows > 4)
            Multiply<Rows8>(k, a, b, c, ldc, beta);
        else
            Multiply<Rows4>(k, a, b, c, ldc, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows>(int k, float* a, float* b, float* c, nint ldc, float beta)
        where TRows : struct, IRowCount
    {
        Vector512<float> c0l = Vector512<float>.Zero, c0h = Vector512<float>.Zero;
        Vector512<float> c1l = Vector512<float>.Zero, c1h = Vector512<float>.Zero;
        Vector512<float> c2l = Vector512<float>.Zero, c2h = Vector512<float>.Zero;
        Vector512<float> c3l = Vector512<float>.Zero, c3h = Vector512<float>.Zero;
        Vector512<float> c4l = Vector512<float>.Zero, c4h = Vector512<float>.Zero;
        Vector512<float> c5l = Vector512<float>.Zero, c5h = Vector512<float>.Zero;
        Vector512<float> c6l = Vector512<float>.Zero, c6h = Vector512<float>.Zero;
        Vector512<float> c7l = Vector512<float>.Zero, c7h = Vector512<float>.Zero;
        Vector512<float> c8l = Vector512<float>.Zero, c8h = Vector512<float>.Zero;
        Vector512<float> c9l = Vector512<float>.Zero, c9h = Vector512<float>.Zero;
        Vector512<float> c10l = Vector512<float>.Zero, c10h = Vector512<float>.Zero;
        Vector512<float> c11l = Vector512<float>.Zero, c11h = Vector512<float>.Zero;
        for (; k > 0; k--)
        {
            Vector512<float> l = Vector512.Load(b), h = Vector512.Load(b + 16), x;
            x = Vector512.Create(a[0]);
            c0l = Avx512F.FusedMultiplyAdd(x, l, c0l);
            c0h = Avx512F.FusedMultiplyAdd(x, h, c0h);
            x = Vector512.Create(a[1]);
            c1l = Avx512F.FusedMultiplyAdd(x, l, c1l);
            c1h = Avx512F.FusedMultiplyAdd(x, h, c1h);
            x = Vector512.Create(a[2]);
            c2l = Avx512F.FusedMultiplyAdd(x, l, c2l);
            c2h = Avx512F.FusedMultiplyAdd(x, h, c2h);
            x = Vector512.Create(a[3]);
            c3l = Avx512F.FusedMultiplyAdd(x, l, c3l);
            c3h = Avx512F.FusedMultiplyAdd(x, h, c3h);
            if (TRows.Count > 4)
            {
                x = Vector512.Create(a[4]);
                c4l = Avx512F.FusedMultiplyAdd(x, l, c4l);
                c4h = Avx512F.FusedMultiplyAdd(x, h, c4h);
                x = Vector512.Create(a[5]);
                c5l = Avx512F.FusedMultiplyAdd(x, l, c5l);
                c5h = Avx512F.FusedMultiplyAdd(x, h, c5h);
                x = Vector512.Create(a[6]);
                c6l = Avx512F.FusedMultiplyAdd(x, l, c6l);
                c6h = Avx512F.FusedMultiplyAdd(x, h, c6h);
                x = Vector512.Create(a[7]);
                c7l = Avx512F.FusedMultiplyAdd(x, l, c7l);
                c7h = Avx512F.FusedMultiplyAdd(x, h, c7h);
            }
            if (TRows.Count > 8)
            {
                x = Vector512.Create(a[8]);
                c8l = Avx512F.FusedMultiplyAdd(x, l, c8l);
                c8h = Avx512F.FusedMultiplyAdd(x, h, c8h);
                x = Vector512.Create(a[9]);
                c9l = Avx512F.FusedMultiplyAdd(x, l, c9l);
                c9h = Avx512F.FusedMultiplyAdd(x, h, c9h);
                x = Vector512.Create(a[10]);
                c10l = Avx512F.FusedMultiplyAdd(x, l, c10l);
                c10h = Avx512F.FusedMultiplyAdd(x, h, c10h);
                x = Vector512.Create(a[11]);
                c11l = Avx512F.FusedMultiplyAdd(x, l, c11l);
                c11h = Avx512F.FusedMultiplyAdd(x, h, c11h);
            }
            a += 12;
            b += 32;
        }
        Store(c, c0l, c0h, beta);
        Store(c + ldc, c1l, c1h, beta);
        Store(c + 2 * ldc, c2l, c2h, beta);
        Store(c + 3 * ldc, c3l, c3h, beta);
        if (TRows.Count > 4)
        {
            Store(c + 4 * ldc, c4l, c4h, beta);
            Store(c + 5 * ldc, c5l, c5h, beta);
            Store(c + 6 * ldc, c6l, c6h, beta);
            Store(c + 7 * ldc, c7l, c7h, beta);
        }
        if (TRows.Count > 8)
        {
            Store(c + 8 * ldc, c8l, c8h, beta);
            Store(c + 9 * ldc, c9l, c9h, beta);
            Store(c + 10 * ldc, c10l, c10h, beta);
            Store(c + 11 * ldc, c11l, c11h, beta);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> l, Vector512<float> h, float beta)
    {
        if (beta != 0)
        {
            Vector512<float> scale = Vector512.Create(beta);
            l = Avx512F.FusedMultiplyAdd(scale, Vector512.Load(c), l);
            h = Avx512F.FusedMultiplyAdd(scale, Vector512.Load(c + 16), h);
        }
        l.Store(c);
        h.Store(c + 16);
    }
}
