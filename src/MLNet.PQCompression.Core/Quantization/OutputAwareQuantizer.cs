using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// Product quantization of one layer by the error of its outputs, blocks of a row taken together: after k-means, codes by coordinate descent and
/// codebook by least squares take turns under the full quadratic form until it stops falling.
/// </summary>
internal static class OutputAwareQuantizer
{
    /// <summary>Quantizes a layer.</summary>
    /// <param name="objective">The error as a function of the weight.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="options">Codewords, rounds and seed.</param>
    /// <param name="pool">The threads to share.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    public static OutputAwareResult Quantize(
        QuadraticObjective objective, int blockSize, OutputAwareOptions options, WorkerPool? pool = null, CancellationToken cancellationToken = default)
    {
        var steps = new List<OutputAwareStep>();
        var random = new Random(options.Seed);
        QuantizationState state = Initialize(objective, blockSize, options, pool, cancellationToken);
        double value = state.Refresh(pool);
        steps.Add(new("k-means", value));
        int[] order = [.. Enumerable.Range(0, state.BlocksPerRow)];
        for (int round = 0; round < options.Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            double before = value;
            DescendCodes();
            cancellationToken.ThrowIfCancellationRequested();
            CodebookSolver.Solve(state, options.CodebookSteps, 1e-3, pool);
            value = state.Refresh(pool);
            steps.Add(new("codebook", value));
            if (value > before * (1 - options.Tolerance))
                break;
        }
        for (int i = 0; i < state.Codebook.Length; i++)
            state.Codebook[i] = (float)(Half)state.Codebook[i];
        steps.Add(new("float16", state.Refresh(pool)));
        DescendCodes();
        double energy = 0;
        for (int g = 0; g < state.Codes.Length; g++)
        {
            objective.Multiply(g, objective.Targets[g], state.Gradients[g], pool);
            energy += objective.WeightedDot(g, objective.Targets[g], state.Gradients[g]);
        }
        return new(state.Codebook, state.RowMajorCodes(), steps, energy > 0 ? value / energy : 0);

        void DescendCodes()
        {
            for (int pass = 0; pass < options.PassesPerRound; pass++)
            {
                random.Shuffle(order);
                if (CoordinateDescent.Pass(state, order, pool) == 0)
                    break;
            }
            value = state.Refresh(pool);
            steps.Add(new("codes", value));
        }
    }

    private static QuantizationState Initialize(
        QuadraticObjective objective, int d, OutputAwareOptions options, WorkerPool? pool, CancellationToken cancellationToken)
    {
        LayerGeometry geometry = objective.Geometry;
        (int n, int stride) = (geometry.RowLength, objective.Stride);
        var blocks = new float[geometry.Rows * n];
        var gram = new double[d * d];
        for (int g = 0; g < geometry.Groups; g++)
        {
            for (int r = 0; r < geometry.RowsPerGroup; r++)
                for (int i = 0; i < n; i++)
                    blocks[(g * geometry.RowsPerGroup + r) * n + i] = objective.Targets[g][i * stride + r];
            for (int i = 0; i < n; i++)
                for (int j = 0; j < d; j++)
                    gram[i % d * d + j] += objective.Hessians[g][i * n + i / d * d + j];
        }
        var kmeans = new KMeansOptions { Codewords = options.Codewords, Iterations = options.InitialIterations, Seed = options.Seed };
        float[] codebook = WeightedKMeans.Fit(blocks, d, gram, kmeans, pool, cancellationToken).Codebook;
        return PositionalKMeans.Fit(objective, d, codebook, options.InitialIterations, pool, cancellationToken);
    }
}
