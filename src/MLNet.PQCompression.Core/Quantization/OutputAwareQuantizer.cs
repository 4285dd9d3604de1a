using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// Product quantization of one layer by the error of its outputs, blocks of a row taken together: after k-means, codes by coordinate descent and
/// codebook by least squares take turns under the full quadratic form until it stops falling.
/// </summary>
internal static class OutputAwareQuantizer
{
    private const double CodebookTolerance = 1e-3;

    /// <summary>An error that is a smaller share of the energy is as good as none: rounding the codewords to float16 leaves more.</summary>
    private const double Negligible = 1e-8;

    /// <summary>k-means for the first codebook takes from this many blocks to twice as many, where there are more.</summary>
    internal const int FirstBlocks = 1 << 20;

    /// <summary>Quantizes a layer.</summary>
    /// <param name="objective">The error as a function of the weight.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="options">Codewords, rounds and seed.</param>
    /// <param name="backend">Takes the steps; null for the caller's thread.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <exception cref="NotFiniteNumberException">Float32 or, for the codewords, float16 cannot hold what comes out.</exception>
    public static OutputAwareResult Quantize(
        QuadraticObjective objective, int blockSize, OutputAwareOptions options, IQuantizationBackend? backend = null, CancellationToken cancellationToken = default)
    {
        backend ??= new ManagedQuantization();
        var random = new Random(options.Seed);
        (ICodeSearch search, List<OutputAwareStep> steps, double energy) = BestStart(objective, blockSize, options, random, backend, cancellationToken);
        using ICodeSearch found = search;
        double value = steps[^1].Objective;
        for (int round = 1; round < options.Rounds && value > Negligible * energy; round++)
        {
            double before = value;
            value = Round(search, steps, options, options.Perturbations, objective.Reach, random, cancellationToken);
            if (value > before * (1 - options.Tolerance))
                break;
        }
        cancellationToken.ThrowIfCancellationRequested();
        SolveCodebook(search, steps, options.FinalCodebookSteps, objective.Reach);
        float[] codebook = Float16Codebook.Round(search.Codebook);
        search.SetCodebook(codebook);
        steps.Add(new("float16", search.Refresh()));
        value = DescendCodes(search, steps, options, options.Perturbations, random);
        if (!double.IsFinite(value) || !double.IsFinite(energy))
            throw new NotFiniteNumberException($"the error of its outputs is {value:G4} of {energy:G4}");
        return new(codebook, search.RowMajorCodes(), steps, energy > 0 ? Math.Max(0, value / energy) : 0);
    }

    /// <summary>k-means and one round from each of several codebooks; the best goes on.</summary>
    private static (ICodeSearch Search, List<OutputAwareStep> Steps, double Energy) BestStart(
        QuadraticObjective objective, int blockSize, OutputAwareOptions options, Random random, IQuantizationBackend backend, CancellationToken cancellationToken)
    {
        (ICodeSearch Search, List<OutputAwareStep> Steps)? best = null;
        double? energy = null; // The same for all.
        try
        {
            for (int start = 0; start < Math.Max(1, options.Starts); start++)
            {
                ICodeSearch search = Initialize(objective, blockSize, options with { Seed = random.Next() }, backend, cancellationToken);
                ICodeSearch? worse = search;
                try
                {
                    List<OutputAwareStep> steps = [new("k-means", search.Refresh())];
                    double value = Round(search, steps, options, 0, objective.Reach, random, cancellationToken);
                    if (best is null || value < best.Value.Steps[^1].Objective)
                        (worse, best) = (best?.Search, (search, steps));
                    if (value <= Negligible * (energy ??= search.Energy()))
                        break;
                }
                finally
                {
                    worse?.Dispose();
                }
            }
            return (best!.Value.Search, best.Value.Steps, energy!.Value);
        }
        catch
        {
            best?.Search.Dispose();
            throw;
        }
    }

    private static double Round(
        ICodeSearch search, List<OutputAwareStep> steps, OutputAwareOptions options, int perturbations, float reach, Random random, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        DescendCodes(search, steps, options, perturbations, random);
        cancellationToken.ThrowIfCancellationRequested();
        return SolveCodebook(search, steps, options.CodebookSteps, reach);
    }

    private static double SolveCodebook(ICodeSearch search, List<OutputAwareStep> steps, int iterations, float reach)
    {
        double fallen = CodebookSolver.Solve(search, iterations, CodebookTolerance);
        steps.Add(new("codebook", LimitReach(search, reach) ? search.Refresh() : Math.Max(0, steps[^1].Objective - fallen)));
        return steps[^1].Objective;
    }

    /// <summary>Takes coordinates of codewords beyond reach back to it. Those in reach are left as they are.</summary>
    /// <returns>Whether there were any, so that error and gradient are to be worked out anew.</returns>
    private static bool LimitReach(ICodeSearch search, float reach)
    {
        float largest = System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(search.Codebook);
        if (Math.Abs(largest) <= reach)
            return false;
        float[] limited = search.Codebook.ToArray();
        for (int i = 0; i < limited.Length; i++)
            limited[i] = float.IsFinite(limited[i]) ? Math.Clamp(limited[i], -reach, reach) : throw new NotFiniteNumberException("its codewords are not finite");
        search.SetCodebook(limited);
        return true;
    }

    private static double DescendCodes(ICodeSearch search, List<OutputAwareStep> steps, OutputAwareOptions options, int perturbations, Random random)
    {
        int[] order = [.. Enumerable.Range(0, search.BlocksPerRow)];
        for (int pass = 0; pass < options.Passes; pass++)
        {
            random.Shuffle(order);
            if (search.Sweep(order) == 0)
                break;
        }
        int[] seeds = [.. Enumerable.Range(0, perturbations).Select(_ => random.Next())];
        if (seeds.Length > 0)
            search.Perturb(options.Temperature, seeds);
        steps.Add(new("codes", search.Refresh()));
        return steps[^1].Objective;
    }

    private static ICodeSearch Initialize(
        QuadraticObjective objective, int d, OutputAwareOptions options, IQuantizationBackend backend, CancellationToken cancellationToken)
    {
        ICodeSearch search = backend.Search(objective, d, FirstCodebook(objective, d, options, backend, cancellationToken));
        for (int iteration = 0; iteration < options.InitialIterations; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (search.AssignByPosition() == 0 && iteration > 0)
                break;
            CodebookSolver.SolveByPosition(search);
            LimitReach(search, objective.Reach);
        }
        return search;
    }

    /// <summary>k-means of the target's blocks, of layers with a great many by every few of the rows.</summary>
    internal static float[] FirstCodebook(QuadraticObjective objective, int d, OutputAwareOptions options, IQuantizationBackend backend, CancellationToken cancellationToken)
    {
        LayerGeometry geometry = objective.Geometry;
        (int n, int stride) = (geometry.RowLength, objective.Stride);
        int step = (int)Math.Clamp((long)geometry.Rows * (n / d) / FirstBlocks, 1, geometry.RowsPerGroup), rows = (geometry.RowsPerGroup + step - 1) / step;
        var blocks = new float[geometry.Groups * rows * n];
        var gram = new double[d * d];
        for (int g = 0; g < geometry.Groups; g++)
        {
            for (int r = 0; r < rows; r++)
                for (int i = 0; i < n; i++)
                    blocks[(g * rows + r) * n + i] = objective.Targets[g][i * stride + r * step];
            for (int i = 0; i < n; i++)
                for (int j = 0; j < d; j++)
                    gram[i % d * d + j] += objective.Hessians[g][i * n + i / d * d + j];
        }
        var kmeans = new KMeansOptions { Codewords = options.Codewords, Iterations = options.InitialIterations, Seed = options.Seed };
        return WeightedKMeans.Fit(blocks, d, gram, kmeans, backend, cancellationToken).Codebook;
    }
}
