using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>Quantizes one layer by the method asked for, from the activations on the frontier.</summary>
/// <param name="options">The method and its settings.</param>
/// <param name="views">How many of the frontier's samples show the same image.</param>
/// <param name="backend">Takes the steps.</param>
internal sealed class LayerQuantizer(CompressionOptions options, int views, IQuantizationBackend backend)
{
    /// <summary>Rows of inputs that statistics take at least, where there are as many: enough for a well-determined H.</summary>
    private const int MinimumRows = 262144;

    /// <summary>λ of the drift correction as a fraction of H's mean diagonal, at least.</summary>
    private const double LeastDriftDamping = 0.01;

    /// <summary>Multiplications of one pass over the codes, times the starts, at most.</summary>
    private const double StartBudget = 3e9;

    private const int MostStarts = 6;

    /// <summary>What quantizing a layer gave.</summary>
    /// <param name="Weights">The initializers to replace.</param>
    /// <param name="RelativeError">The share of the outputs' energy that is error.</param>
    /// <param name="Objective">The objective after each step.</param>
    /// <param name="TeacherOutputs">The teacher's outputs where they were needed.</param>
    public sealed record Outcome(
        IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError, double[] Objective, StoredActivation[]? TeacherOutputs);

    /// <summary>What a short search gave.</summary>
    /// <param name="Plan">The layer with the block size and codebook that were tried.</param>
    /// <param name="Weights">The initializers to replace.</param>
    /// <param name="RelativeError">The share of the outputs' energy that is error.</param>
    public sealed record Trial(LayerPlan Plan, IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError);

    /// <summary>Quantizes a layer whose inputs lie on the frontier.</summary>
    /// <exception cref="InvalidModelException">The layer's numbers are beyond float32, or its codewords beyond float16.</exception>
    public Outcome Quantize(TwinFrontier frontier, ModelGraph teacher, Node node, LayerPlan plan, int seed, CancellationToken cancellationToken)
    {
        try
        {
            return options.Method == CompressionMethod.Output
                ? ByOutputs(frontier, teacher, node, plan, seed, cancellationToken)
                : ByBlocks(frontier, teacher, node, plan, seed, cancellationToken);
        }
        catch (NotFiniteNumberException e)
        {
            throw Beyond(node, plan, e);
        }
    }

    private static InvalidModelException Beyond(Node node, LayerPlan plan, NotFiniteNumberException e) =>
        new($"Layer '{node.Name}' with weight '{plan.Weight}' of {plan.Shape} cannot be compressed: {e.Message}. Leave it as it is (skip it), or retrain the model with smaller weights.", e);

    private Outcome ByBlocks(TwinFrontier frontier, ModelGraph teacher, Node node, LayerPlan plan, int seed, CancellationToken cancellationToken)
    {
        double[] gram = [];
        if (options.Method == CompressionMethod.Paper)
        {
            var geometry = LayerGeometry.Of(node.Operator, plan.Shape);
            using IGram statistics = backend.Gram(geometry, plan.BlockSize);
            int positions = PositionsPerImage(frontier.Samples, geometry);
            for (int b = 0; b < frontier.Batches; b++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                statistics.Add(frontier.StudentValue(node.Inputs[0], b), positions, HashCode(seed, b));
            }
            gram = statistics.ToArray();
        }
        ReadOnlySpan<float> weight = teacher.Initializers[plan.Weight].ToDense().Span;
        var kmeans = new KMeansOptions { Codewords = plan.Codewords, Iterations = options.Iterations, Seed = seed };
        KMeansResult result = WeightedKMeans.Fit(weight, plan.BlockSize, gram, kmeans, backend, cancellationToken);
        float[] codebook = Float16Codebook.Round(result.Codebook);
        var tensor = new QuantizedTensor(plan.Shape, plan.BlockSize, codebook, result.Codes);
        double energy = WeightedKMeans.Energy(weight, plan.BlockSize, gram);
        if (!double.IsFinite(energy) || !double.IsFinite(result.Objective))
            throw new NotFiniteNumberException($"the error of its outputs is {result.Objective:G4} of {energy:G4}");
        return new([new(plan.Weight, tensor)], energy > 0 ? result.Objective / energy : 0, [.. result.Iterations.Select(i => i.Objective), result.Objective], null);
    }

    /// <summary>Tries several block sizes and codebooks with short searches on the same statistics; the frontier and the student stay as they are.</summary>
    /// <returns>What each gave, and the teacher's outputs.</returns>
    public (IReadOnlyList<Trial> Trials, StoredActivation[] TeacherOutputs) Try(
        TwinFrontier frontier, ModelGraph teacher, Node node, LayerPlan plan, IReadOnlyList<(int BlockSize, int Codewords)> candidates, int seed, CancellationToken cancellationToken)
    {
        try
        {
            (OutputProblem problem, OutputCorrection correction, StoredActivation[] outputs) = Prepare(frontier, teacher, node, plan, seed, cancellationToken);
            var trials = new List<Trial>();
            foreach ((int d, int k) in candidates)
            {
                LayerPlan tried = plan with { BlockSize = d, Codewords = k };
                OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, d, OutputAwareOptions.Short with { Codewords = k, Seed = seed }, backend, cancellationToken);
                trials.Add(new(tried, Weights(frontier, problem, correction, node, tried, result), result.RelativeError));
            }
            return (trials, outputs);
        }
        catch (NotFiniteNumberException e)
        {
            throw Beyond(node, plan, e);
        }
    }

    private Outcome ByOutputs(TwinFrontier frontier, ModelGraph teacher, Node node, LayerPlan plan, int seed, CancellationToken cancellationToken)
    {
        (OutputProblem problem, OutputCorrection correction, StoredActivation[] outputs) = Prepare(frontier, teacher, node, plan, seed, cancellationToken);
        var search = new OutputAwareOptions { Codewords = plan.Codewords, Starts = Starts(problem.Objective.Geometry), Seed = seed };
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, plan.BlockSize, search, backend, cancellationToken);
        return new(Weights(frontier, problem, correction, node, plan, result), result.RelativeError, [.. result.Steps.Select(s => s.Objective)], outputs);
    }

    /// <summary>The quantized weight, and what absorbs the scale and shift fitted after it.</summary>
    private IReadOnlyList<KeyValuePair<string, Initializer>> Weights(
        TwinFrontier frontier, OutputProblem problem, OutputCorrection correction, Node node, LayerPlan plan, OutputAwareResult result)
    {
        (double[] scale, double[] shift) = problem.FitOutputs(result.Codebook, result.Codes, backend.Workers);
        var tensor = new QuantizedTensor(plan.Shape, plan.BlockSize, result.Codebook, result.Codes);
        return [new(plan.Weight, tensor), .. correction.Absorb(frontier.Student, node, scale, shift)];
    }

    /// <summary>Takes the statistics of a layer and works out what is to be minimised.</summary>
    private (OutputProblem Problem, OutputCorrection Correction, StoredActivation[] TeacherOutputs) Prepare(
        TwinFrontier frontier, ModelGraph teacher, Node node, LayerPlan plan, int seed, CancellationToken cancellationToken)
    {
        var geometry = LayerGeometry.Of(node.Operator, plan.Shape);
        using IMoments moments = backend.Moments(geometry, views);
        int positions = PositionsPerImage(frontier.Samples, geometry);
        OutputCorrection correction = OutputCorrection.Find(teacher, node);
        ResidualTarget? residual = ResidualTarget.Find(frontier, teacher, correction.Normalization);
        var outputs = new StoredActivation[frontier.Batches];
        for (int b = 0; b < outputs.Length; b++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Activation output = frontier.TeacherOutput(node, b), target = residual?.Of(output, b) ?? output;
            moments.Add(frontier.StudentValue(node.Inputs[0], b), target, positions, HashCode(seed, b), b % (outputs.Length / views));
            outputs[b] = frontier.Keep(output);
        }
        ReadOnlySpan<float> weight = teacher.Initializers[plan.Weight].ToDense().Span;
        var problem = new OutputProblem(moments.ToStatistics(), weight, correction.Kind != CorrectionKind.None,
            correction.Kind == CorrectionKind.BatchNorm, correction.RowWeights(teacher, weight, geometry.Rows), LeastDriftDamping, isShrunk: true, backend.Workers, cancellationToken);
        return (problem, correction, outputs);
    }

    /// <summary>Small layers can afford several starts, and their objective varies most with the start.</summary>
    internal static int Starts(LayerGeometry geometry)
    {
        double pass = (double)geometry.RowLength * geometry.RowLength * geometry.RowsPerGroup * geometry.Groups;
        return (int)Math.Clamp(StartBudget / pass, 1, MostStarts);
    }

    /// <summary>Rows of inputs that a layer's statistics are taken from, where there are as many.</summary>
    internal static long RowsWanted(LayerGeometry geometry) => Math.Max(MinimumRows, 16L * geometry.RowLength);

    /// <summary>All positions where a layer has few rows for its width, else an even part of every image's.</summary>
    private static int PositionsPerImage(int images, LayerGeometry geometry)
    {
        long wanted = RowsWanted(geometry);
        return (int)Math.Max(1, (wanted + images - 1) / images);
    }

    private static int HashCode(int seed, int batch) => unchecked((seed * 486187739) ^ (batch * 16777619));
}
