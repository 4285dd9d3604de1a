using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// The least-squares codebook for fixed codes under the full quadratic form, by conjugate gradients: each step decodes a direction, multiplies it
/// by H and sums the result back over each codeword's blocks. The preconditioner is each codeword's own d×d block, Σ s_o·H_bb.
/// </summary>
internal static class CodebookSolver
{
    private const double Damping = 1e-6;

    /// <summary>Improves the codebook; the search's error and gradient follow. The objective never rises but for rounding.</summary>
    /// <param name="search">The search, refreshed.</param>
    /// <param name="iterations">Steps at most.</param>
    /// <param name="tolerance">Ends when the preconditioned residual has fallen by this factor.</param>
    /// <returns>By how much the objective has fallen: r·z·α in each step.</returns>
    public static double Solve(ICodeSearch search, int iterations, double tolerance)
    {
        double[] residual = search.SumGradient();
        for (int i = 0; i < residual.Length; i++)
            residual[i] = -residual[i];
        int d = search.BlockSize;
        double[][] factors = Preconditioner(search);
        double[] scaled = Precondition(factors, residual, d), direction = [.. scaled];
        double rz = Dot(residual, scaled), first = rz, fallen = 0;
        for (int iteration = 0; iteration < iterations && rz > tolerance * tolerance * first && rz > 0; iteration++)
        {
            double[] image = search.SumImage(direction);
            double curvature = Dot(image, direction);
            if (!(curvature > 0))
                break;
            double alpha = rz / curvature;
            search.Step(direction, alpha);
            fallen += alpha * rz;
            for (int i = 0; i < residual.Length; i++)
                residual[i] -= alpha * image[i];
            scaled = Precondition(factors, residual, d);
            double next = Dot(residual, scaled), beta = next / rz;
            for (int i = 0; i < direction.Length; i++)
                direction[i] = scaled[i] + beta * direction[i];
            rz = next;
        }
        return fallen;
    }

    /// <summary>The codebook that is best by each block position alone: codeword by codeword the solution of its own d×d system. One without blocks stays.</summary>
    public static void SolveByPosition(ICodeSearch search)
    {
        double[] solved = Precondition(Preconditioner(search), search.SumQueries(), search.BlockSize);
        float[] codebook = search.Codebook.ToArray();
        bool[] used = new bool[codebook.Length / search.BlockSize];
        foreach (ushort code in search.RowMajorCodes())
            used[code] = true;
        for (int i = 0; i < solved.Length; i++)
            if (used[i / search.BlockSize])
                codebook[i] = (float)-solved[i];
        search.SetCodebook(codebook);
    }

    /// <summary>The Cholesky factor of each codeword's block; of a codeword without blocks the identity.</summary>
    private static double[][] Preconditioner(ICodeSearch search)
    {
        int d = search.BlockSize;
        return [.. search.SumCurvature().Chunk(d * d).Select(block => Cholesky.FactorSmall(block, d, Damping))];
    }

    /// <summary>M⁻¹x codeword by codeword.</summary>
    private static double[] Precondition(double[][] factors, double[] x, int d)
    {
        double[] result = [.. x];
        for (int c = 0; c < factors.Length; c++)
            Cholesky.SolveSmall(factors[c], d, result.AsSpan(c * d, d));
        return result;
    }

    private static double Dot(double[] a, double[] b) => System.Numerics.Tensors.TensorPrimitives.Dot<double>(a, b);
}
