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
    /// <param name="TeacherOutputs">The teacher's outputs of each reader where they were needed.</param>
    public sealed record Outcome(
        IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError, double[] Objective, StoredActivation[][]? TeacherOutputs);

    /// <summary>What a short search gave.</summary>
    /// <param name="Plan">The layer with the block size and codebook that were tried.</param>
    /// <param name="Weights">The initializers to replace.</param>
    /// <param name="RelativeError">The share of the outputs' energy that is error.</param>
    public sealed record Trial(LayerPlan Plan, IReadOnlyList<KeyValuePair<string, Initializer>> Weights, double RelativeError);

    /// <summary>Quantizes a layer whose inputs, of all its readers, lie on the frontier. One that no image reaches is quantized by its weight alone. The item times it.</summary>
    /// <exception cref="InvalidModelException">The layer's numbers are beyond float32, or its codewords beyond float16.</exception>
    public Outcome Quantize(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        try
        {
            bool isReached = readers.Any(r => frontier.ShapesOf(r.Inputs[0]).Any(s => s.Count > 0));
            if (options.Method == CompressionMethod.Output && isReached)
                return ByOutputs(frontier, teacher, readers, plan, seed, item, cancellationToken);
            Outcome outcome = ByBlocks(frontier, teacher, readers, plan, isReached ? options.Method : CompressionMethod.Plain, seed, item, cancellationToken);
            return options.Method == CompressionMethod.Output ? outcome with { TeacherOutputs = frontier.TeacherOutputs(readers, cancellationToken) } : outcome;
        }
        catch (NotFiniteNumberException e)
        {
            throw Beyond(readers[0], plan, e);
        }
    }

    private static InvalidModelException Beyond(Node node, LayerPlan plan, NotFiniteNumberException e) =>
        new($"Layer '{node.Name}' with weight '{plan.Weight}' of {plan.Shape} cannot be compressed: {e.Message}. Leave it as it is (skip it), or retrain the model with smaller weights.", e);

    private Outcome ByBlocks(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, CompressionMethod method, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        double[] gram = [];
        Operator op = readers[0].Operator;
        if (method == CompressionMethod.Paper)
        {
            LayerGeometry geometry = LayerActivations.GeometryOf(op, plan.Shape);
            using IDisposable timed = item.Time(WorkKind.Statistics);
            using IGram statistics = backend.Gram(geometry, plan.BlockSize);
            foreach (Part part in Parts(frontier, readers, geometry, seed))
            {
                cancellationToken.ThrowIfCancellationRequested();
                statistics.Add(LayerActivations.Input(op, frontier.StudentValue(part.Reader.Inputs[0], part.Batch)), part.Positions, part.Seed);
            }
            gram = statistics.ToArray();
        }
        using IDisposable searched = item.Time(WorkKind.Search);
        ReadOnlySpan<float> weight = LayerGeometry.RowsOf(op, teacher.Initializers[plan.Weight]);
        var kmeans = new KMeansOptions { Codewords = plan.Codewords, Iterations = options.Iterations, Seed = seed };
        KMeansResult result = WeightedKMeans.Fit(weight, plan.BlockSize, gram, kmeans, backend, cancellationToken);
        float[] codebook = Float16Codebook.Round(result.Codebook);
        QuantizedTensor tensor = plan.Tensor(codebook, result.Codes);
        double energy = WeightedKMeans.Energy(weight, plan.BlockSize, gram);
        if (!double.IsFinite(energy) || !double.IsFinite(result.Objective))
            throw new NotFiniteNumberException($"the error of its outputs is {result.Objective:G4} of {energy:G4}");
        return new([new(plan.Weight, tensor)], energy > 0 ? result.Objective / energy : 0, [.. result.Iterations.Select(i => i.Objective), result.Objective], null);
    }

    /// <summary>Tries several block sizes and codebooks with short searches on the same statistics; the frontier and the student stay as they are.</summary>
    /// <returns>What each gave, and the teacher's outputs of each reader.</returns>
    public (IReadOnlyList<Trial> Trials, StoredActivation[][] TeacherOutputs) Try(
        TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, IReadOnlyList<(int BlockSize, int Codewords)> candidates, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        try
        {
            (OutputProblem problem, OutputCorrection correction, StoredActivation[][] outputs) = Prepare(frontier, teacher, readers, plan, seed, item, cancellationToken);
            using IDisposable searched = item.Time(WorkKind.Search);
            var trials = new List<Trial>();
            foreach ((int d, int k) in candidates)
            {
                LayerPlan tried = plan with { BlockSize = d, Codewords = k };
                OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, d, OutputAwareOptions.Short with { Codewords = k, Seed = seed }, backend, cancellationToken);
                trials.Add(new(tried, Weights(frontier, problem, correction, tried, result), result.RelativeError));
            }
            return (trials, outputs);
        }
        catch (NotFiniteNumberException e)
        {
            throw Beyond(readers[0], plan, e);
        }
    }

    private Outcome ByOutputs(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        (OutputProblem problem, OutputCorrection correction, StoredActivation[][] outputs) = Prepare(frontier, teacher, readers, plan, seed, item, cancellationToken);
        using IDisposable searched = item.Time(WorkKind.Search);
        var search = new OutputAwareOptions { Codewords = plan.Codewords, Starts = Starts(problem.Objective.Geometry), Seed = seed };
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, plan.BlockSize, search, backend, cancellationToken);
        return new(Weights(frontier, problem, correction, plan, result), result.RelativeError, [.. result.Steps.Select(s => s.Objective)], outputs);
    }

    /// <summary>The quantized weight, and what absorbs the scale and shift fitted after it.</summary>
    private IReadOnlyList<KeyValuePair<string, Initializer>> Weights(
        TwinFrontier frontier, OutputProblem problem, OutputCorrection correction, LayerPlan plan, OutputAwareResult result)
    {
        (double[] scale, double[] shift) = problem.FitOutputs(result.Codebook, result.Codes, backend.Workers);
        return [new(plan.Weight, plan.Tensor(result.Codebook, result.Codes)), .. correction.Absorb(frontier.Student, scale, shift)];
    }

    /// <summary>Takes the statistics of a layer and works out what is to be minimised.</summary>
    private (OutputProblem Problem, OutputCorrection Correction, StoredActivation[][] TeacherOutputs) Prepare(
        TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        Operator op = readers[0].Operator;
        LayerGeometry geometry = LayerActivations.GeometryOf(op, plan.Shape);
        using IMoments moments = backend.Moments(geometry, views);
        ReadOnlySpan<float> weight = LayerGeometry.RowsOf(op, teacher.Initializers[plan.Weight]);
        OutputCorrection correction = OutputCorrection.Find(teacher, plan.Weight);
        var residuals = new ResidualTarget?[readers.Length];
        for (int r = 0; r < readers.Length; r++)
            residuals[r] = ResidualTarget.Find(frontier, teacher, readers[r], correction.Normalizations.ElementAtOrDefault(correction.Readers.IndexOf(readers[r])), weight);
        StoredActivation[][] outputs;
        using (item.Time(WorkKind.Evaluation))
            outputs = frontier.TeacherOutputs(readers, cancellationToken);
        IDisposable timed = item.Time(WorkKind.Statistics);
        foreach (Part part in Parts(frontier, readers, geometry, seed))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int r = Array.IndexOf(readers, part.Reader);
            Activation output = outputs[r][part.Batch].Load(), target = correction.Target(teacher, part.Reader, residuals[r]?.Of(output, part.Batch) ?? output);
            Activation input = frontier.StudentValue(part.Reader.Inputs[0], part.Batch);
            moments.Add(LayerActivations.Input(op, input), LayerActivations.Output(op, target), part.Positions, part.Seed, part.Batch % (frontier.Batches / views));
        }
        OutputStatistics statistics = moments.ToStatistics();
        timed.Dispose();
        using IDisposable solved = item.Time(WorkKind.Solving);
        var problem = new OutputProblem(statistics, weight, correction.Kind != CorrectionKind.None,
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

    /// <summary>A batch of one reader's inputs, and how many positions of each image are taken.</summary>
    private readonly record struct Part(Node Reader, int Batch, int Positions, int Seed);

    /// <summary>The batches of all readers that hold anything: all positions where a layer has few rows for its width, else the same share of each image's.</summary>
    private static IEnumerable<Part> Parts(TwinFrontier frontier, Node[] readers, LayerGeometry geometry, int seed)
    {
        var rows = new long[readers.Length];
        var images = new long[readers.Length];
        for (int r = 0; r < readers.Length; r++)
            foreach (TensorShape shape in frontier.ShapesOf(readers[r].Inputs[0]))
                (rows[r], images[r]) = (rows[r] + LayerActivations.RowsOf(readers[r].Operator, shape, geometry), images[r] + LayerActivations.ImagesOf(shape));
        double share = Math.Min(1, (double)RowsWanted(geometry) / Math.Max(1, rows.Sum()));
        for (int r = 0; r < readers.Length; r++)
            for (int b = 0; b < frontier.Batches; b++)
                if (frontier.ShapesOf(readers[r].Inputs[0]).ElementAt(b) is { Count: > 0 } shape)
                    yield return new(readers[r], b, (int)Math.Max(1, Math.Ceiling(share * rows[r] / images[r])), HashCode(seed, b + r * frontier.Batches));
    }

    private static int HashCode(int seed, int batch) => unchecked((seed * 486187739) ^ (batch * 16777619));
}
