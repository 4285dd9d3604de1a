namespace MLNet.PQCompression.Numerics;

/// <summary>The factor L of a symmetric positive definite matrix A = LLᵀ, and solutions with it.</summary>
public static class Cholesky
{
    /// <summary>With more than so much of its mean on its diagonal, times the order, every positive semidefinite matrix of finite numbers factors.</summary>
    internal const double LargestDamping = 1e3;

    private const int Panel = 96;

    /// <summary>Factors a small matrix in double precision, adding to its diagonal until it is positive definite.</summary>
    /// <param name="matrix">n×n, row-major, symmetric and positive semidefinite.</param>
    /// <param name="n">The order.</param>
    /// <param name="damping">What is added to the diagonal first, as a fraction of its mean; tenfold after each failure.</param>
    /// <returns>L, n×n row-major, zeros above the diagonal. Of a zero matrix the identity.</returns>
    /// <exception cref="NotFiniteNumberException">The matrix holds values that are not finite, or is far from positive semidefinite.</exception>
    public static double[] FactorSmall(ReadOnlySpan<double> matrix, int n, double damping)
    {
        double mean = 0;
        for (int i = 0; i < n; i++)
            mean += matrix[i * n + i] / n;
        var factor = new double[n * n];
        if (mean == 0)
        {
            for (int i = 0; i < n; i++)
                factor[i * n + i] = 1;
            return factor;
        }
        while (!TryFactorSmall(matrix, n, damping * mean, factor))
        {
            if (damping > LargestDamping * n)
                throw new NotFiniteNumberException("a matrix of second moments is not finite");
            damping = Math.Max(damping * 10, 1e-12);
        }
        return factor;
    }

    /// <summary>Factors A + shift·I in double precision; false where it is not positive definite.</summary>
    public static bool TryFactorSmall(ReadOnlySpan<double> matrix, int n, double shift, Span<double> factor)
    {
        factor[..(n * n)].Clear();
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = matrix[i * n + j] + (i == j ? shift : 0);
                for (int p = 0; p < j; p++)
                    sum -= factor[i * n + p] * factor[j * n + p];
                if (i != j)
                    factor[i * n + j] = sum / factor[j * n + j];
                else if (sum > 0 && double.IsFinite(sum))
                    factor[i * n + i] = Math.Sqrt(sum);
                else
                    return false;
            }
        return true;
    }

    /// <summary>Solves LLᵀx = b in place for one right-hand side.</summary>
    public static void SolveSmall(ReadOnlySpan<double> factor, int n, Span<double> x)
    {
        for (int i = 0; i < n; i++)
        {
            for (int p = 0; p < i; p++)
                x[i] -= factor[i * n + p] * x[p];
            x[i] /= factor[i * n + i];
        }
        for (int i = n - 1; i >= 0; i--)
        {
            for (int p = i + 1; p < n; p++)
                x[i] -= factor[p * n + i] * x[p];
            x[i] /= factor[i * n + i];
        }
    }

    /// <summary>
    /// Factors a large float32 matrix in place: panels of the factor one after the other, the rest updated by matrix products. The lower
    /// triangle becomes L, what lies above it is left as it was.
    /// </summary>
    /// <returns>False where the matrix is not numerically positive definite; its content is then lost.</returns>
    public static bool TryFactor(Span<float> matrix, int n, WorkerPool? pool = null)
    {
        const int strip = 384;
        var work = new float[Panel * Panel];
        var panel = new float[Math.Max(0, n - Panel) * Panel];
        var right = new float[Math.Min(strip, n) * Panel];
        for (int start = 0; start < n; start += Panel)
        {
            int width = Math.Min(Panel, n - start), rest = n - start - width;
            if (!FactorPanel(matrix, n, start, width))
                return false;
            if (rest == 0)
                break;
            InvertTriangle(matrix, n, start, width, work);
            // The block below: B ← B·L⁻ᵀ, then the rest of the matrix: A ← A − B·Bᵀ, a strip of columns at a time.
            Span<float> below = matrix[((start + width) * n + start)..];
            MatrixProduct.Multiply(false, true, rest, width, width, below, n, work, Panel, 0, panel, width, pool);
            for (int i = 0; i < rest; i++)
                panel.AsSpan(i * width, width).CopyTo(below[(i * n)..]);
            System.Numerics.Tensors.TensorPrimitives.Negate(panel.AsSpan(0, rest * width), panel.AsSpan(0, rest * width));
            for (int column = 0; column < rest; column += strip)
            {
                int columns = Math.Min(strip, rest - column), rows = rest - column;
                int corner = (start + width + column) * n + start;
                for (int i = 0; i < columns; i++)
                    matrix.Slice(corner + i * n, width).CopyTo(right.AsSpan(i * width));
                MatrixProduct.Multiply(false, true, rows, columns, width, panel.AsSpan(column * width), width, right, width, 1,
                    matrix[(corner + width + column)..], n, pool);
            }
        }
        return true;
    }

    /// <summary>Solves LLᵀX = B in place for many right-hand sides.</summary>
    /// <param name="factor">L as <see cref="TryFactor"/> leaves it, n×n.</param>
    /// <param name="n">The order.</param>
    /// <param name="x">B, then X: n×columns, row-major.</param>
    /// <param name="columns">The right-hand sides.</param>
    /// <param name="pool">The threads to share.</param>
    public static void Solve(ReadOnlySpan<float> factor, int n, Span<float> x, int columns, WorkerPool? pool = null)
    {
        var inverse = new float[Panel * Panel];
        var block = new float[Panel * columns];
        for (int start = 0; start < n; start += Panel)
        {
            int width = Math.Min(Panel, n - start), rest = n - start - width;
            InvertTriangle(factor, n, start, width, inverse);
            Replace(false, width, columns, inverse, x[(start * columns)..], block, pool);
            if (rest > 0)
                Subtract(false, rest, columns, width, factor[((start + width) * n + start)..], n, block, x[((start + width) * columns)..], pool);
        }
        for (int start = (n - 1) / Panel * Panel; start >= 0; start -= Panel)
        {
            int width = Math.Min(Panel, n - start);
            InvertTriangle(factor, n, start, width, inverse);
            Replace(true, width, columns, inverse, x[(start * columns)..], block, pool);
            if (start > 0)
                Subtract(true, start, columns, width, factor[(start * n)..], n, block, x, pool);
        }
    }

    private static void Replace(bool transpose, int width, int columns, float[] inverse, Span<float> x, float[] block, WorkerPool? pool)
    {
        MatrixProduct.Multiply(transpose, false, width, columns, width, inverse, Panel, x, columns, 0, block, columns, pool);
        block.AsSpan(0, width * columns).CopyTo(x);
        for (int i = 0; i < width * columns; i++)
            block[i] = -block[i];
    }

    private static void Subtract(
        bool transpose, int rows, int columns, int width, ReadOnlySpan<float> factor, int n, float[] negated, Span<float> x, WorkerPool? pool) =>
        MatrixProduct.Multiply(transpose, false, rows, columns, width, factor, n, negated, columns, 1, x, columns, pool);

    private static bool FactorPanel(Span<float> matrix, int n, int start, int width)
    {
        for (int i = start; i < start + width; i++)
            for (int j = start; j <= i; j++)
            {
                double sum = matrix[i * n + j];
                for (int p = start; p < j; p++)
                    sum -= (double)matrix[i * n + p] * matrix[j * n + p];
                if (i != j)
                    matrix[i * n + j] = (float)(sum / matrix[j * n + j]);
                else if (sum > 0 && double.IsFinite(sum))
                    matrix[i * n + i] = (float)Math.Sqrt(sum);
                else
                    return false;
            }
        return true;
    }

    private static void InvertTriangle(ReadOnlySpan<float> matrix, int n, int start, int width, Span<float> inverse)
    {
        inverse.Clear();
        for (int j = 0; j < width; j++)
        {
            inverse[j * Panel + j] = 1 / matrix[(start + j) * n + start + j];
            for (int i = j + 1; i < width; i++)
            {
                double sum = 0;
                for (int p = j; p < i; p++)
                    sum -= (double)matrix[(start + i) * n + start + p] * inverse[p * Panel + j];
                inverse[i * Panel + j] = (float)(sum / matrix[(start + i) * n + start + i]);
            }
        }
    }
}
