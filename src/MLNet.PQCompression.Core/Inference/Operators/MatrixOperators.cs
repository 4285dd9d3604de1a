using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Gemm and MatMul: y = alpha·op(a)·op(b) + beta·c, with c broadcast to y.</summary>
internal static class MatrixOperators
{
    /// <summary>The product of two matrices, or of stacks of them; a stack times one matrix is one product.</summary>
    public static void MatMul(Activation a, Activation b, Activation? bias, Activation output, WorkerPool? pool)
    {
        MatMul(a, b, output, pool);
        if (bias is not null)
            Broadcasting.Run(BinaryFunction.Add, output, bias, output);
    }

    private static void MatMul(Activation a, Activation b, Activation output, WorkerPool? pool)
    {
        int k = a.Shape[a.Shape.Rank - 1], n = b.Shape.Rank == 1 ? 1 : b.Shape[b.Shape.Rank - 1];
        if (output.Shape.Count == 0)
            return;
        if (b.Shape.Rank <= 2)
        {
            MatrixProduct.Multiply(false, false, (int)(output.Shape.Count / n), n, k, a.Span, k, b.Span, n, 0, output.Span, n, pool);
            return;
        }
        int m = a.Shape.Rank == 1 ? 1 : a.Shape[a.Shape.Rank - 2];
        int rank = output.Shape.Rank - (a.Shape.Rank == 1 ? 1 : 2);
        int[] sizes = [.. output.Shape.Dimensions[..rank]], stepsA = Stack(a.Shape, sizes), stepsB = Stack(b.Shape, sizes);
        int product = 0;
        Strides.ForEachRun([.. sizes, 1], [.. stepsA, 0], [.. stepsB, 0], 0, 0, (from, with) => MatrixProduct.Multiply(
            false, false, m, n, k, a.Span.Slice(from, m * k), k, b.Span.Slice(with, k * n), n, 0, output.Span.Slice(product++ * m * n, m * n), n, pool));
    }

    /// <summary>Distances between the matrices of a stack along the dimensions of the result; 0 where they are repeated.</summary>
    private static int[] Stack(TensorShape shape, int[] sizes)
    {
        int[] own = Strides.Of(shape), steps = new int[sizes.Length];
        int stacked = shape.Rank - 2;
        for (int i = 0; i < stacked; i++)
            steps[sizes.Length - stacked + i] = shape[i] == 1 ? 0 : own[i];
        return steps;
    }

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
