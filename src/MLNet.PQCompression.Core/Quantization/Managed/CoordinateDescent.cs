using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>Re-assigns codes by the full quadratic form, for a fixed codebook. The objective never rises; R is kept up to date, E is not.</summary>
internal static class CoordinateDescent
{
    /// <summary>Greedy sweeps that follow a tilted one.</summary>
    private const int SweepsAfterTilt = 2;

    /// <summary>Visits every block position once, in the given order.</summary>
    /// <returns>The codes that changed.</returns>
    public static int Pass(QuantizationState state, int[] order, WorkerPool? pool)
    {
        int changed = 0;
        ForEachPanel(state, pool, (panel, _) =>
        {
            Interlocked.Add(ref changed, panel.Sweep(order));
            panel.Store();
        });
        return changed;
    }

    /// <summary>
    /// Iterated local search: sweeps with randomly tilted searches, then greedily, and keeps the rows that came out better.
    /// </summary>
    /// <param name="state">The state, with R up to date.</param>
    /// <param name="temperature">The size of the tilt relative to the gradient's.</param>
    /// <param name="seed">Seed of tilts and orders.</param>
    /// <param name="pool">The threads to share.</param>
    public static void Perturb(QuantizationState state, float temperature, int seed, WorkerPool? pool) =>
        ForEachPanel(state, pool, (panel, index) =>
        {
            var random = new Random(unchecked(seed * 92821 + index));
            int[] order = [.. Enumerable.Range(0, state.BlocksPerRow)];
            RowPanel tried = panel.Clone();
            random.Shuffle(order);
            tried.Sweep(order, temperature, random);
            for (int i = 0; i < SweepsAfterTilt; i++)
            {
                random.Shuffle(order);
                tried.Sweep(order);
            }
            double[] before = panel.RowObjectives(), after = tried.RowObjectives();
            panel.Take(tried, r => after[r] < before[r]);
            panel.Store();
        });

    /// <summary>½cᵀH_bb·c for each block position and codeword, [m][k].</summary>
    internal static float[] Offsets(QuantizationState state, int group, WorkerPool? pool)
    {
        (int n, int d, int k) = (state.Objective.Geometry.RowLength, state.BlockSize, state.Codewords);
        float[] hessian = state.Objective.Hessians[group], codebook = state.Codebook;
        var offsets = new float[state.BlocksPerRow * k];
        pool.RunParts(state.BlocksPerRow, b =>
        {
            for (int c = 0; c < k; c++)
            {
                ReadOnlySpan<float> codeword = codebook.AsSpan(c * d, d);
                float sum = 0;
                for (int i = 0; i < d; i++)
                {
                    ReadOnlySpan<float> row = hessian.AsSpan((b * d + i) * n + b * d, d);
                    float dot = 0;
                    for (int j = 0; j < d; j++)
                        dot += row[j] * codeword[j];
                    sum += dot * codeword[i];
                }
                offsets[b * k + c] = sum / 2;
            }
        });
        return offsets;
    }

    private static void ForEachPanel(QuantizationState state, WorkerPool? pool, Action<RowPanel, int> body)
    {
        int panels = state.Objective.Stride / NearestCodeword.Lanes;
        for (int g = 0; g < state.Codes.Length; g++)
        {
            float[] offsets = Offsets(state, g, pool);
            int group = g;
            pool.RunParts(panels, panel => body(new(state, group, panel, offsets), group * panels + panel));
        }
    }
}
