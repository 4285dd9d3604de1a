using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// k-means with one Gram matrix for each block position: H without what lies between positions. It starts the search by the full quadratic form.
/// </summary>
internal static class PositionalKMeans
{
    private const int Lanes = NearestCodeword.Lanes;

    /// <summary>Iterates from a codebook: E-step by each position's H_bb, M-step by weighted least squares codeword by codeword.</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="codebook">The first codebook, [k, d]; it becomes the state's.</param>
    /// <param name="iterations">Iterations at most.</param>
    /// <param name="pool">The threads to share.</param>
    /// <param name="cancellationToken">Stops between iterations.</param>
    public static QuantizationState Fit(
        QuadraticObjective objective, int blockSize, float[] codebook, int iterations, WorkerPool? pool, CancellationToken cancellationToken)
    {
        LayerGeometry geometry = objective.Geometry;
        int m = geometry.RowLength / blockSize, stride = objective.Stride;
        ushort[][] codes = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new ushort[m * stride])];
        var state = new QuantizationState(objective, blockSize, codebook, codes);
        float[][] queries = [.. Enumerable.Range(0, geometry.Groups).Select(g => Queries(objective, g, blockSize, pool))];
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int changed = 0;
            for (int g = 0; g < geometry.Groups; g++)
                changed += Assign(state, g, queries[g], pool);
            if (changed == 0 && iteration > 0)
                break;
            UpdateCodewords(state, queries);
        }
        return state;
    }

    /// <summary>−H_bb·w_b for every block, [n][Stride].</summary>
    private static float[] Queries(QuadraticObjective objective, int group, int d, WorkerPool? pool)
    {
        (int n, int stride) = (objective.Geometry.RowLength, objective.Stride);
        var queries = new float[n * stride];
        (float[] hessian, float[] target) = (objective.Hessians[group], objective.Targets[group]);
        pool.RunParts(n / d, b =>
        {
            for (int i = b * d; i < (b + 1) * d; i++)
                for (int j = b * d; j < (b + 1) * d; j++)
                {
                    Span<float> query = queries.AsSpan(i * stride, stride);
                    System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(target.AsSpan(j * stride, stride), -hessian[i * n + j], query, query);
                }
        });
        return queries;
    }

    private static int Assign(QuantizationState state, int group, float[] queries, WorkerPool? pool)
    {
        (int d, int k, int stride, int rows) = (state.BlockSize, state.Codewords, state.Objective.Stride, state.Objective.Geometry.RowsPerGroup);
        float[] offsets = CoordinateDescent.Offsets(state, group, pool);
        int changed = 0;
        pool.RunParts(state.BlocksPerRow, b =>
        {
            Span<float> panel = new float[d * Lanes];
            Span<int> best = stackalloc int[Lanes];
            Span<float> scores = stackalloc float[Lanes];
            int moved = 0;
            for (int start = 0; start < rows; start += Lanes)
            {
                for (int j = 0; j < d; j++)
                    queries.AsSpan((b * d + j) * stride + start, Lanes).CopyTo(panel[(j * Lanes)..]);
                NearestCodeword.Search(panel, d, state.Codebook, offsets.AsSpan(b * k, k), best, scores);
                Span<ushort> codes = state.Codes[group].AsSpan(b * stride + start, Math.Min(Lanes, rows - start));
                for (int r = 0; r < codes.Length; r++)
                {
                    if (codes[r] != best[r])
                        moved++;
                    codes[r] = (ushort)best[r];
                }
            }
            Interlocked.Add(ref changed, moved);
        });
        return changed;
    }

    private static void UpdateCodewords(QuantizationState state, float[][] queries)
    {
        int d = state.BlockSize;
        var sums = new double[state.Codebook.Length];
        for (int g = 0; g < queries.Length; g++)
            state.Accumulate(g, queries[g], sums);
        bool[] used = new bool[state.Codewords];
        foreach (ushort[] codes in state.Codes)
            for (int b = 0; b < state.BlocksPerRow; b++)
                for (int r = 0; r < state.Objective.Geometry.RowsPerGroup; r++)
                    used[codes[b * state.Objective.Stride + r]] = true;
        double[] solved = CodebookSolver.Precondition(CodebookSolver.Preconditioner(state), sums, d);
        for (int i = 0; i < solved.Length; i++)
            if (used[i / d])
                state.Codebook[i] = (float)-solved[i];
    }
}
