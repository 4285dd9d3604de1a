using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>
/// k-means with one Gram matrix for each block position: H without what lies between positions. It starts the search by the full quadratic form.
/// </summary>
internal sealed class PositionalKMeans
{
    private const int Lanes = NearestCodeword.Lanes;

    private readonly QuantizationState _state;
    private readonly float[][] _queries;
    private readonly WorkerPool? _pool;

    /// <summary>Maps the target's blocks.</summary>
    /// <param name="state">The state, whose codes and codebook change.</param>
    /// <param name="pool">The threads to share.</param>
    public PositionalKMeans(QuantizationState state, WorkerPool? pool)
    {
        (_state, _pool) = (state, pool);
        _queries = [.. Enumerable.Range(0, state.Codes.Length).Select(g => Queries(state.Objective, g, state.BlockSize, pool))];
    }

    /// <summary>E-step by each position's H_bb; returns how many codes changed.</summary>
    public int Assign() => Enumerable.Range(0, _queries.Length).Sum(g => Assign(_state, g, _queries[g], _pool));

    /// <summary>The sum of −s_o·(H_bb·w_b) over each codeword's blocks, [k, d].</summary>
    public double[] Sum()
    {
        var sums = new double[_state.Codebook.Length];
        for (int g = 0; g < _queries.Length; g++)
            _state.Accumulate(g, _queries[g], sums);
        return sums;
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
}
