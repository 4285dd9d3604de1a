using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>Quantizes one layer by the method asked for, from the activations on the frontier.</summary>
/// <param name="options">The method and its settings.</param>
/// <param name="backend">Takes the steps.</param>
internal sealed class LayerQuantizer(CompressionOptions options, IQuantizationBackend backend)
{
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

    /// <summary>Quantizes a layer whose inputs, of all its readers, lie on the frontier. One that no image reaches is quantized by its weight alone. The item times it.</summary>
    /// <exception cref="InvalidModelException">The layer's numbers are beyond float32, or its codewords beyond float16.</exception>
    public Outcome Quantize(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        LayerInputs inputs = new(frontier, readers, LayerActivations.GeometryOf(readers[0].Operator, plan.Shape).Sliced(plan.Slices), seed);
        return Guarded(plan, () =>
        {
            if (options.Method == CompressionMethod.Output && inputs.AreReached)
                return ByOutputs(frontier, teacher, readers, plan, inputs, seed, item, cancellationToken);
            Outcome outcome = ByBlocks(teacher, readers, plan, inputs, seed, item, cancellationToken);
            return options.Method == CompressionMethod.Output ? outcome with { TeacherOutputs = frontier.TeacherOutputs(readers, cancellationToken) } : outcome;
        });
    }

    /// <summary>Does something with a layer's numbers and says which layer it is where they are beyond float32 or float16.</summary>
    internal static T Guarded<T>(LayerPlan plan, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (NotFiniteNumberException e)
        {
            throw new InvalidModelException(
                $"Layer '{plan.Node}' with weight '{plan.Weight}' of {plan.Shape} cannot be compressed: {e.Message}. Leave it as it is (skip it), or retrain the model with smaller weights.", e);
        }
    }

    private Outcome ByBlocks(ModelGraph teacher, Node[] readers, LayerPlan plan, LayerInputs inputs, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        double[] gram = [];
        Operator op = readers[0].Operator;
        if (options.Method == CompressionMethod.Paper && inputs.AreReached)
        {
            using IDisposable timed = item.Time(WorkKind.Statistics);
            if (inputs.Gram(backend, plan.BlockSize, cancellationToken) is not { } sum)
                return Elsewhere(null);
            gram = sum;
        }
        else if (!inputs.IsDecidedHere)
            return Elsewhere(null);
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

    /// <summary>Takes a layer's statistics, for several block sizes and codebooks to be tried on; the frontier and the student stay as they are.</summary>
    public LayerTrials Try(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        LayerInputs inputs = new(frontier, readers, LayerActivations.GeometryOf(readers[0].Operator, plan.Shape).Sliced(plan.Slices), seed);
        return Guarded(plan, () =>
        {
            (OutputProblem? prepared, OutputCorrection correction, StoredActivation[][] outputs) = Prepare(frontier, teacher, readers, plan, inputs, item, cancellationToken);
            OutputProblem problem = prepared!; // Analyses are not shared among ranks, so this is the one that has it.
            return new LayerTrials(problem.Objective, plan, seed, backend, outputs, (tried, result) => Weights(frontier, problem, correction, tried, result), cancellationToken);
        });
    }

    private Outcome ByOutputs(TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, LayerInputs inputs, int seed, WorkItem item, CancellationToken cancellationToken)
    {
        (OutputProblem? problem, OutputCorrection correction, StoredActivation[][] outputs) = Prepare(frontier, teacher, readers, plan, inputs, item, cancellationToken);
        Garbage.Collect(); // What the target was made from.
        using IDisposable searched = item.Time(WorkKind.Search);
        WorkParts parts = frontier.Images.Parts;
        RowSearches? rows = RowSearches.AreWorthIt(parts, backend, inputs.Geometry) ? RowSearches.Share(parts, backend, inputs.Geometry, plan.BlockSize, problem?.Objective) : null;
        if (problem is null)
        {
            rows?.Follow(cancellationToken);
            return Elsewhere(outputs);
        }
        var search = new OutputAwareOptions { Codewords = plan.Codewords, Starts = Starts(problem.Objective.Geometry), Seed = seed };
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, plan.BlockSize, search, rows is null ? backend : new SharedSearchBackend(backend, rows), cancellationToken);
        rows?.Lead(RowCommand.End, 0);
        return new(Weights(frontier, problem, correction, plan, result), result.RelativeError, [.. result.Steps.Select(s => s.Objective)], outputs);
    }

    /// <summary>The quantized weight, and what absorbs the scale and shift fitted after it.</summary>
    private IReadOnlyList<KeyValuePair<string, Initializer>> Weights(
        TwinFrontier frontier, OutputProblem problem, OutputCorrection correction, LayerPlan plan, OutputAwareResult result)
    {
        (double[] scale, double[] shift) = problem.FitOutputs(result.Codebook, result.Codes, backend.Workers);
        (ushort[] codes, shift) = plan.Slices == 1 ? (result.Codes, shift) : RowSlices.Join(result.Codes, shift, problem.Objective.Geometry);
        return [new(plan.Weight, plan.Tensor(result.Codebook, codes)), .. correction.Absorb(frontier.Student, scale, shift)];
    }

    /// <summary>What a rank has of a layer that rank 0 quantizes.</summary>
    private static Outcome Elsewhere(StoredActivation[][]? outputs) => new([], 0, [], outputs);

    /// <summary>Takes the statistics of a layer and works out, on rank 0, what is to be minimised.</summary>
    private (OutputProblem? Problem, OutputCorrection Correction, StoredActivation[][] TeacherOutputs) Prepare(
        TwinFrontier frontier, ModelGraph teacher, Node[] readers, LayerPlan plan, LayerInputs inputs, WorkItem item, CancellationToken cancellationToken)
    {
        Operator op = readers[0].Operator;
        ReadOnlySpan<float> weight = LayerGeometry.RowsOf(op, teacher.Initializers[plan.Weight]);
        OutputCorrection correction = OutputCorrection.Find(teacher, plan.Weight);
        LayerGeometry geometry = inputs.Geometry;
        float[]? cut = plan.Slices > 1 ? RowSlices.Cut(weight, geometry) : null;
        float[] rowWeights = correction.RowWeights(teacher, weight, geometry.Rows / plan.Slices);
        var residuals = new ResidualTarget?[readers.Length];
        for (int r = 0; r < readers.Length; r++)
            residuals[r] = ResidualTarget.Find(frontier, teacher, readers[r], correction.Normalizations.ElementAtOrDefault(correction.Readers.IndexOf(readers[r])), weight);
        StoredActivation[][] outputs;
        using (item.Time(WorkKind.Evaluation))
            outputs = frontier.TeacherOutputs(readers, cancellationToken);
        OutputStatistics? statistics;
        using (item.Time(WorkKind.Statistics))
            statistics = inputs.Moments(backend, Target, cancellationToken);
        if (statistics is null)
            return (null, correction, outputs);
        using IDisposable solved = item.Time(WorkKind.Solving);
        var problem = new OutputProblem(statistics, cut ?? weight, correction.Kind != CorrectionKind.None, correction.Kind == CorrectionKind.BatchNorm && cut is null,
            [.. Enumerable.Repeat(rowWeights, plan.Slices).SelectMany(w => w)], LeastDriftDamping, isShrunk: true, backend.Workers, cancellationToken);
        return (problem, correction, outputs);

        Activation Target(int reader, int batch)
        {
            Activation output = outputs[reader][batch].Load();
            Activation target = LayerActivations.Output(op, correction.Target(teacher, readers[reader], residuals[reader]?.Of(output, batch) ?? output));
            return cut is null ? target : RowSlices.Targets(inputs.Input(reader, batch), target, cut, geometry, backend.Workers);
        }
    }

    /// <summary>Small layers can afford several starts, and their objective varies most with the start.</summary>
    internal static int Starts(LayerGeometry geometry)
    {
        double pass = (double)geometry.RowLength * geometry.RowLength * geometry.RowsPerGroup * geometry.Groups;
        return (int)Math.Clamp(StartBudget / pass, 1, MostStarts);
    }
}
