using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Gemm and MatMul: y = alpha·op(a)·op(b) + beta·c, with c broadcast to y.</summary>
internal static class MatrixOperators
{
    public static void Run(Gemm gemm, Activation a, Activation b, Activation? c, Activation output, WorkerPool? pool)
    {
        int m = output.Shape[0], n = output.Shape[1], k = a.Shape[gemm.TransposeA ? 0 : 1];
        Span<float> y = output.Span;
        MatrixProduct.Multiply(gemm.TransposeA, gemm.TransposeB, m, n, k, a.Span, a.Shape[1], b.Span, b.Shape[1], 0, y, n, pool);
        if (gemm.Alpha != 1)
            TensorPrimitives.Multiply(y, gemm.Alpha, y);
        if (c is null)
            return;
        TensorShape s = c.Shape;
        bool perColumn = s.Rank > 0 && s[s.Rank - 1] == n && n > 1, perRow = s.Rank == 2 && s[0] == m && m > 1;
        for (int i = 0; i < m; i++)
        {
            Span<float> row = y.Slice(i * n, n);
            ReadOnlySpan<float> addend = c.Span.Slice(perRow ? i * (perColumn ? n : 1) : 0, perColumn ? n : 1);
            if (perColumn)
                TensorPrimitives.MultiplyAdd(addend, gemm.Beta, row, row);
            else
                TensorPrimitives.Add(row, gemm.Beta * addend[0], row);
        }
    }
}
