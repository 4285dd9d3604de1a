namespace MLNet.PQCompression.Numerics;

/// <summary>Products of row-major float32 matrices, blocked for the caches and shared among threads.</summary>
/// <remarks>Results do not depend on the number of threads. They may differ in the last bits between machines with different vector widths.</remarks>
public static unsafe class MatrixProduct
{
    /// <summary>C = op(A)·op(B) + β·C, with op(A) m×k, op(B) k×n and C m×n.</summary>
    /// <param name="transposeA">Whether A is stored k×m.</param>
    /// <param name="transposeB">Whether B is stored n×k.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">The summed dimension.</param>
    /// <param name="a">A, row-major.</param>
    /// <param name="lda">Distance between A's rows as stored.</param>
    /// <param name="b">B, row-major.</param>
    /// <param name="ldb">Distance between B's rows as stored.</param>
    /// <param name="beta">0 overwrites C, whatever it holds; 1 adds to it.</param>
    /// <param name="c">C, row-major; it must not overlap A or B.</param>
    /// <param name="ldc">Distance between C's rows.</param>
    /// <param name="pool">The threads to share, or null for the caller's alone.</param>
    /// <exception cref="ArgumentException">A dimension is negative, or a span is too short for its matrix.</exception>
    public static void Multiply(
        bool transposeA, bool transposeB, int m, int n, int k,
        ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb,
        float beta, Span<float> c, int ldc, WorkerPool? pool = null) =>
        Multiply(SimdLevels.Best, transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc, pool);

    /// <summary>H = H + XᵀX for X rows×n and the symmetric H n×n, at half the cost of <see cref="Multiply(bool, bool, int, int, int, ReadOnlySpan{float}, int, ReadOnlySpan{float}, int, float, Span{float}, int, WorkerPool?)"/>.</summary>
    /// <param name="n">Columns of X, rows and columns of H.</param>
    /// <param name="rows">Rows of X.</param>
    /// <param name="x">X, row-major.</param>
    /// <param name="ldx">Distance between X's rows.</param>
    /// <param name="h">H, row-major and symmetric before and after; it must not overlap X.</param>
    /// <param name="ldh">Distance between H's rows.</param>
    /// <param name="pool">The threads to share, or null for the caller's alone.</param>
    /// <exception cref="ArgumentException">A dimension is negative, or a span is too short for its matrix.</exception>
    public static void SymmetricRankUpdate(int n, int rows, ReadOnlySpan<float> x, int ldx, Span<float> h, int ldh, WorkerPool? pool = null) =>
        SymmetricRankUpdate(SimdLevels.Best, n, rows, x, ldx, h, ldh, pool);

    /// <summary>The same, but of H only the triangle above the diagonal and the diagonal itself; what is below is lost. After the last update of many <see cref="MirrorUpper"/> makes H symmetric.</summary>
    internal static void UpperRankUpdate(int n, int rows, ReadOnlySpan<float> x, int ldx, Span<float> h, int ldh, WorkerPool? pool = null) =>
        UpperRankUpdate(SimdLevels.Best, n, rows, x, ldx, h, ldh, pool);

    /// <summary>Copies the triangle above the diagonal of an n×n matrix to the one below.</summary>
    internal static void MirrorUpper(int n, Span<float> h, int ldh, WorkerPool? pool = null)
    {
        Check(h.Length, n, n, ldh, nameof(h));
        fixed (float* ph = h)
            SymmetricMirror.UpperToLower(n, ph, ldh, pool);
    }

    internal static void Multiply(
        SimdLevel level, bool transposeA, bool transposeB, int m, int n, int k,
        ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb,
        float beta, Span<float> c, int ldc, WorkerPool? pool)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(m);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        if (m == 0 || n == 0)
            return;
        Check(c.Length, m, n, ldc, nameof(c));
        if (k > 0)
        {
            Check(a.Length, transposeA ? k : m, transposeA ? m : k, lda, nameof(a));
            Check(b.Length, transposeB ? n : k, transposeB ? k : n, ldb, nameof(b));
        }
        fixed (float* pa = a, pb = b, pc = c)
        {
            if (m <= FewRowsProduct.MaxRows && (!transposeA || m == 1 && lda == 1))
                FewRowsProduct.Run(m, n, k, pa, transposeA ? k : lda, transposeB, pb, ldb, beta, pc, ldc, pool);
            else if (n == 1 && ldc == 1 && !transposeA && (transposeB || ldb == 1))
                FewRowsProduct.Run(1, m, k, pb, k, true, pa, lda, beta, pc, m, pool);
            else
                Run(level, m, n, k, new(pa, lda, !transposeA), new(pb, ldb, transposeB), beta, pc, ldc, false, pool);
        }
    }

    internal static void SymmetricRankUpdate(SimdLevel level, int n, int rows, ReadOnlySpan<float> x, int ldx, Span<float> h, int ldh, WorkerPool? pool)
    {
        UpperRankUpdate(level, n, rows, x, ldx, h, ldh, pool);
        if (n > 0 && rows > 0)
            MirrorUpper(n, h, ldh, pool);
    }

    private static void UpperRankUpdate(SimdLevel level, int n, int rows, ReadOnlySpan<float> x, int ldx, Span<float> h, int ldh, WorkerPool? pool)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (n == 0 || rows == 0)
            return;
        Check(x.Length, rows, n, ldx, nameof(x));
        Check(h.Length, n, n, ldh, nameof(h));
        fixed (float* px = x, ph = h)
            Run(level, n, n, rows, new(px, ldx, false), new(px, ldx, false), 1, ph, ldh, true, pool);
    }

    private static void Run(
        SimdLevel level, int m, int n, int k, MatrixOperand a, MatrixOperand b,
        float beta, float* c, nint ldc, bool upperOnly, WorkerPool? pool)
    {
        switch (level)
        {
            case SimdLevel.Vector512:
                PackedProduct<MatrixTile512>.Run(m, n, k, a, b, beta, c, ldc, upperOnly, pool);
                break;
            case SimdLevel.Vector256:
                PackedProduct<MatrixTile256>.Run(m, n, k, a, b, beta, c, ldc, upperOnly, pool);
                break;
            default:
                PackedProduct<MatrixTile128>.Run(m, n, k, a, b, beta, c, ldc, upperOnly, pool);
                break;
        }
    }

    private static void Check(int length, int rows, int columns, int stride, string name)
    {
        if (stride < columns && rows > 1)
            throw new ArgumentException($"Rows of {columns} values cannot be {stride} apart.", name);
        long needed = (rows - 1L) * stride + columns;
        if (length < needed)
            throw new ArgumentException($"A {rows}×{columns} matrix with rows {stride} apart takes {needed} values, not {length}.", name);
    }
}
