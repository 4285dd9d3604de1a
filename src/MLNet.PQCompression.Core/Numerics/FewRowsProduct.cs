using System.Numerics.Tensors;

namespace MLNet.PQCompression.Numerics;

/// <summary>Products with so few rows that packing B would cost more than multiplying by it.</summary>
internal static unsafe class FewRowsProduct
{
    /// <summary>The most rows for which this is the faster way.</summary>
    public const int MaxRows = 3;

    private const int ColumnBlock = 256;

    /// <summary>C = A·op(B) + β·C with A m×k not transposed.</summary>
    public static void Run(int m, int n, int k, float* a, nint lda, bool transposeB, float* b, nint ldb, float beta, float* c, nint ldc, WorkerPool? pool)
    {
        int blocks = (n + ColumnBlock - 1) / ColumnBlock;
        if (pool is null || (long)m * n * k < 100_000)
            for (int block = 0; block < blocks; block++)
                Columns(block);
        else
            pool.Run(blocks, Columns);

        void Columns(int block)
        {
            int start = block * ColumnBlock, count = Math.Min(ColumnBlock, n - start);
            for (int i = 0; i < m; i++)
            {
                var row = new Span<float>(c + i * ldc + start, count);
                if (beta == 0)
                    row.Clear();
                else if (beta != 1)
                    TensorPrimitives.Multiply(row, beta, row);
                if (transposeB)
                    for (int j = 0; j < count; j++)
                        row[j] += TensorPrimitives.Dot(new ReadOnlySpan<float>(a + i * lda, k), new ReadOnlySpan<float>(b + (start + j) * ldb, k));
                else
                    for (int p = 0; p < k; p++)
                        TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(b + p * ldb + start, count), a[i * lda + p], row, row);
            }
        }
    }
}
