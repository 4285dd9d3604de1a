using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// Product quantization of one layer by the error of its outputs, blocks of a row taken together: after k-means, codes by coordinate descent and
/// codebook by least squares take turns under the full quadratic form until it stops falling.
/// </summary>
internal static class OutputAwareQuantizer
{
    private const double CodebookTolerance = 1e-3;

    /// <summary>Quantizes a layer.</summary>
    /// <param name="objective">The error as a function of the weight.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="options">Codewords, rounds and seed.</param>
    /// <param name="pool">The threads to share.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    public static OutputAwareResult Quantize(
        QuadraticObjective objective, int blockSize, OutputAwareOptions options, WorkerPool? pool = null, CancellationToken cancellationToken = default)
    {
        var random = new Random(options.Seed);
        (QuantizationState state, List<OutputAwareStep> steps) = BestStart(objective, blockSize, options, random, pool, cancellationToken);
        double value = steps[^1].Objective;
        for (int round = 1; round < options.Rounds; round++)
        {
            double before = value;
            value = Round(state, steps, options, options.Perturbations, random, pool, cancellationToken);
            if (value > before * (1 - options.Tolerance))
                break;
        }
        for (int i = 0; i < state.Codebook.Length; i++)
            state.Codebook[i] = (float)(Half)state.Codebook[i];
        steps.Add(new("float16", state.Refresh(pool)));
        value = DescendCodes(state, steps, options, options.Perturbations, random, pool);
        double energy = 0;
        for (int g = 0; g < state.Codes.Length; g++)
        {
            objective.Multiply(g, objective.Targets[g], state.Gradients[g], pool);
            energy += objective.WeightedDot(g, objective.Targets[g], state.Gradients[g]);
        }
        return new(state.Codebook, state.RowMajorCodes(), steps, energy > 0 ? value / energy : 0);
    }

    /// <summary>k-means and one round from each of several codebooks; the best goes on.</summary>
    private static (QuantizationState State, List<OutputAwareStep> Steps) BestStart(
        QuadraticObjective objective, int blockSize, OutputAwareOptions options, Random random, WorkerPool? pool, CancellationToken cancellationToken)
    {
        (QuantizationState State, List<OutputAwareStep> Steps)? best = null;
        for (int start = 0; start < Math.Max(1, options.Starts); start++)
        {
            QuantizationState state = Initialize(objective, blockSize, options with { Seed = random.Next() }, pool, cancellationToken);
            List<OutputAwareStep> steps = [new("k-means", state.Refresh(pool))];
            double value = Round(state, steps, options, 0, random, pool, cancellationToken);
            if (best is null || value < best.Value.Steps[^1].Objective)
                best = (state, steps);
        }
        return best!.Value;
    }

    private static double Round(
        QuantizationState state, List<OutputAwareStep> steps, OutputAwareOptions options, int perturbations, Random random, WorkerPool? pool,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        DescendCodes(state, steps, options, perturbations, random, pool);
        cancellationToken.ThrowIfCancellationRequested();
        CodebookSolver.Solve(state, options.CodebookSteps, CodebookTolerance, pool);
        steps.Add(new("codebook", state.Refresh(pool)));
        return steps[^1].Objective;
    }

    private static double DescendCodes(
        QuantizationState state, List<OutputAwareStep> steps, OutputAwareOptions options, int perturbations, Random random, WorkerPool? pool)
    {
        int[] order = [.. Enumerable.Range(0, state.BlocksPerRow)];
        for (int pass = 0; pass < options.Passes; pass++)
        {
            random.Shuffle(order);
            if (CoordinateDescent.Pass(state, order, pool) == 0)
                break;
        }
        for (int i = 0; i < perturbations; i++)
            CoordinateDescent.Perturb(state, options.Temperature, random.Next(), pool);
        steps.Add(new("codes", state.Refresh(pool)));
        return steps[^1].Objective;
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
