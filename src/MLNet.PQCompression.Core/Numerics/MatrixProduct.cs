using System.Numerics.Tensors;

namespace MLNet.PQCompression.Numerics;

/// <summary>Products of row-major float32 matrices, blocked for the caches and shared among threads.</summary>
public static class MatrixProduct
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
    /// <exception cref="ArgumentException">A span is too short for its matrix.</exception>
    public static unsafe void Multiply(
        bool transposeA, bool transposeB, int m, int n, int k,
        ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb,
        float beta, Span<float> c, int ldc, WorkerPool? pool = null)
    {
        if (m == 0 || n == 0)
            return;
        for (int i = 0; i < m; i++)
        {
            Span<float> row = c.Slice(i * ldc, n);
            if (beta == 0)
                row.Clear();
            else if (beta != 1)
                TensorPrimitives.Multiply(row, beta, row);
            for (int p = 0; p < k; p++)
            {
                float x = transposeA ? a[p * lda + i] : a[i * lda + p];
                if (!transposeB)
                    TensorPrimitives.MultiplyAdd(b.Slice(p * ldb, n), x, row, row);
                else
                    for (int j = 0; j < n; j++)
                        row[j] += x * b[j * ldb + p];
            }
        }
    }
}
