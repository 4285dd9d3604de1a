using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// Re-assigns codes one block position after the other, each by the full quadratic form with all other blocks as they stand: the best codeword
/// c for block b of row o minimises ½cᵀH_bb·c + cᵀ(R_b − H_bb·ŵ_b).
/// </summary>
/// <remarks>Rows are independent of each other given the codebook, so panels of rows run in parallel, each with its own part of R in cache.</remarks>
internal static class CoordinateDescent
{
    private const int Lanes = NearestCodeword.Lanes;

    /// <summary>Visits every block position once, in the given order. The objective never rises. R is kept up to date, E is not.</summary>
    /// <returns>The codes that changed.</returns>
    public static int Pass(QuantizationState state, int[] order, WorkerPool? pool)
    {
        (int n, int stride) = (state.Objective.Geometry.RowLength, state.Objective.Stride);
        int panels = stride / Lanes, changed = 0;
        for (int g = 0; g < state.Codes.Length; g++)
        {
            float[] offsets = Offsets(state, g, pool);
            int group = g;
            pool.RunParts(panels, panel => Interlocked.Add(ref changed, PanelPass(state, group, panel, order, offsets)));
        }
        return changed;
    }

    /// <summary>½cᵀH_bb·c for each block position and codeword, [m][k].</summary>
    internal static float[] Offsets(QuantizationState state, int group, WorkerPool? pool)
    {
        (int n, int d, int k) = (state.Objective.Geometry.RowLength, state.BlockSize, state.Codewords);
        float[] hessian = state.Objective.Hessians[group], codebook = state.Codebook;
        var offsets = new float[state.BlocksPerRow * k];
        pool.RunParts(state.BlocksPerRow, b =>
        {
            Span<float> block = stackalloc float[d * d];
            for (int i = 0; i < d; i++)
                hessian.AsSpan((b * d + i) * n + b * d, d).CopyTo(block[(i * d)..]);
            for (int c = 0; c < k; c++)
            {
                ReadOnlySpan<float> codeword = codebook.AsSpan(c * d, d);
                float sum = 0;
                for (int i = 0; i < d; i++)
                {
                    float dot = 0;
                    for (int j = 0; j < d; j++)
                        dot += block[i * d + j] * codeword[j];
                    sum += dot * codeword[i];
                }
                offsets[b * k + c] = sum / 2;
            }
        });
        return offsets;
    }

    private static int PanelPass(QuantizationState state, int group, int panel, int[] order, float[] offsets)
    {
        QuadraticObjective objective = state.Objective;
        (int n, int d, int k, int stride) = (objective.Geometry.RowLength, state.BlockSize, state.Codewords, objective.Stride);
        int rows = Math.Min(Lanes, objective.Geometry.RowsPerGroup - panel * Lanes);
        (float[] hessian, float[] codebook, float[] gradients) = (objective.Hessians[group], state.Codebook, state.Gradients[group]);
        var local = new float[n * Lanes];
        for (int i = 0; i < n; i++)
            gradients.AsSpan(i * stride + panel * Lanes, Lanes).CopyTo(local.AsSpan(i * Lanes));
        Span<float> present = new float[d * Lanes], queries = new float[d * Lanes];
        Span<int> best = stackalloc int[Lanes];
        Span<float> scores = stackalloc float[Lanes];
        int changed = 0;
        foreach (int b in order)
        {
            Span<ushort> codes = state.Codes[group].AsSpan(b * stride + panel * Lanes, rows);
            for (int r = 0; r < rows; r++)
                for (int j = 0; j < d; j++)
                    present[j * Lanes + r] = codebook[codes[r] * d + j];
            Query(hessian.AsSpan(b * d * n + b * d), n, d, local.AsSpan(b * d * Lanes), present, queries);
            ReadOnlySpan<float> blockOffsets = offsets.AsSpan(b * k, k);
            NearestCodeword.Search(queries, d, codebook, blockOffsets, best, scores);
            int moved = 0;
            for (int r = 0; r < rows; r++)
            {
                float score = blockOffsets[codes[r]];
                for (int j = 0; j < d; j++)
                    score = MathF.FusedMultiplyAdd(codebook[codes[r] * d + j], queries[j * Lanes + r], score);
                bool better = scores[r] < score;
                for (int j = 0; j < d; j++)
                    present[j * Lanes + r] = better ? codebook[best[r] * d + j] - present[j * Lanes + r] : 0;
                if (better)
                {
                    codes[r] = (ushort)best[r];
                    moved++;
                }
            }
            if (moved > 0)
                Update(hessian.AsSpan(b * d * n), n, d, present, local);
            changed += moved;
        }
        for (int i = 0; i < n; i++)
            local.AsSpan(i * Lanes, Lanes).CopyTo(gradients.AsSpan(i * stride + panel * Lanes));
        return changed;
    }

    /// <summary>q = R_b − H_bb·ŵ_b for the lanes of a panel.</summary>
    private static void Query(ReadOnlySpan<float> block, int n, int d, ReadOnlySpan<float> gradient, ReadOnlySpan<float> present, Span<float> queries)
    {
        for (int i = 0; i < d; i++)
            for (int lane = 0; lane < Lanes; lane += 16)
            {
                Vector512<float> q = Vector512.Create(gradient.Slice(i * Lanes + lane, 16));
                for (int j = 0; j < d; j++)
                    q = Vector512.FusedMultiplyAdd(Vector512.Create(-block[i * n + j]), Vector512.Create(present.Slice(j * Lanes + lane, 16)), q);
                q.CopyTo(queries.Slice(i * Lanes + lane, 16));
            }
    }

    /// <summary>R += H_b·Δ for the d columns H_b of a block (rows of the symmetric H) and its change Δ, [d][Lanes].</summary>
    private static unsafe void Update(ReadOnlySpan<float> columns, int n, int d, ReadOnlySpan<float> change, Span<float> gradient)
    {
        fixed (float* h0 = columns, delta0 = change, r0 = gradient)
        {
            float* r = r0;
            for (int i = 0; i < n; i++, r += Lanes)
            {
                Vector512<float> a = Vector512.Load(r), b = Vector512.Load(r + 16), c = Vector512.Load(r + 32), e = Vector512.Load(r + 48);
                float* h = h0 + i, delta = delta0;
                for (int j = 0; j < d; j++, h += n, delta += Lanes)
                {
                    Vector512<float> x = Vector512.Create(*h);
                    a = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta), a);
                    b = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 16), b);
                    c = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 32), c);
                    e = Vector512.FusedMultiplyAdd(x, Vector512.Load(delta + 48), e);
                }
                a.Store(r);
                b.Store(r + 16);
                c.Store(r + 32);
                e.Store(r + 48);
            }
        }
    }
}
