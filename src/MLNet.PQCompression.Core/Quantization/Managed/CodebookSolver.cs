using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>
/// The least-squares codebook for fixed codes under the full quadratic form, by conjugate gradients: each step decodes a direction, multiplies it
/// by H and sums the result back over each codeword's blocks. The preconditioner is each codeword's own d×d block, Σ s_o·H_bb.
/// </summary>
internal static class CodebookSolver
{
    private const double Damping = 1e-6;

    /// <summary>Improves the codebook; E and R follow. The objective never rises but for rounding.</summary>
    /// <param name="state">The codes, with E and R up to date.</param>
    /// <param name="iterations">Steps at most.</param>
    /// <param name="tolerance">Ends when the preconditioned residual has fallen by this factor.</param>
    /// <param name="pool">The threads to share.</param>
    public static void Solve(QuantizationState state, int iterations, double tolerance, WorkerPool? pool)
    {
        int groups = state.Codes.Length;
        var residual = new double[state.Codebook.Length];
        for (int g = 0; g < groups; g++)
            state.Accumulate(g, state.Gradients[g], residual);
        for (int i = 0; i < residual.Length; i++)
            residual[i] = -residual[i];
        double[][] factors = Preconditioner(state);
        double[] scaled = Precondition(factors, residual, state.BlockSize), direction = [.. scaled];
        double rz = Dot(residual, scaled), first = rz;
        float[][] decoded = [.. state.Errors.Select(e => new float[e.Length])], product = [.. state.Errors.Select(e => new float[e.Length])];
        var step = new float[direction.Length];
        for (int iteration = 0; iteration < iterations && rz > tolerance * tolerance * first && rz > 0; iteration++)
        {
            for (int i = 0; i < step.Length; i++)
                step[i] = (float)direction[i];
            double curvature = 0;
            var image = new double[residual.Length];
            for (int g = 0; g < groups; g++)
            {
                state.Decode(g, step, decoded[g], pool);
                state.Objective.Multiply(g, decoded[g], product[g], pool);
                state.Accumulate(g, product[g], image);
            }
            curvature = Dot(image, direction);
            if (!(curvature > 0))
                break;
            double alpha = rz / curvature;
            for (int i = 0; i < residual.Length; i++)
            {
                state.Codebook[i] += (float)(alpha * direction[i]);
                residual[i] -= alpha * image[i];
            }
            for (int g = 0; g < groups; g++)
            {
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(decoded[g], (float)alpha, state.Errors[g], state.Errors[g]);
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(product[g], (float)alpha, state.Gradients[g], state.Gradients[g]);
            }
            scaled = Precondition(factors, residual, state.BlockSize);
            double next = Dot(residual, scaled), beta = next / rz;
            for (int i = 0; i < direction.Length; i++)
                direction[i] = scaled[i] + beta * direction[i];
            rz = next;
        }
    }

    /// <summary>The Cholesky factor of Σ s_o·H_bb over each codeword's blocks; of a codeword without blocks the identity.</summary>
    internal static double[][] Preconditioner(QuantizationState state)
    {
        QuadraticObjective objective = state.Objective;
        (int n, int d, int k, int stride, int rows) = (objective.Geometry.RowLength, state.BlockSize, state.Codewords, objective.Stride, objective.Geometry.RowsPerGroup);
        double[][] blocks = [.. Enumerable.Range(0, k).Select(_ => new double[d * d])];
        var counts = new double[k];
        for (int g = 0; g < state.Codes.Length; g++)
            for (int b = 0; b < state.BlocksPerRow; b++)
            {
                Array.Clear(counts);
                for (int r = 0; r < rows; r++)
                    counts[state.Codes[g][b * stride + r]] += objective.RowWeights[g][r];
                for (int c = 0; c < k; c++)
                    for (int i = 0; i < d && counts[c] > 0; i++)
                        for (int j = 0; j < d; j++)
                            blocks[c][i * d + j] += counts[c] * objective.Hessians[g][(b * d + i) * n + b * d + j];
            }
        return [.. blocks.Select(block => Cholesky.FactorSmall(block, d, Damping))];
    }

    /// <summary>M⁻¹x codeword by codeword.</summary>
    internal static double[] Precondition(double[][] factors, double[] x, int d)
    {
        double[] result = [.. x];
        for (int c = 0; c < factors.Length; c++)
            Cholesky.SolveSmall(factors[c], d, result.AsSpan(c * d, d));
        return result;
    }

    private static double Dot(double[] a, double[] b) => System.Numerics.Tensors.TensorPrimitives.Dot<double>(a, b);
}
