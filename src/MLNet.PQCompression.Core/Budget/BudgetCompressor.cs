using System.Globalization;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Budget;

/// <summary>A compression that kept to a budget.</summary>
/// <param name="Compression">The compressed network.</param>
/// <param name="Analysis">What the plan was chosen by.</param>
/// <param name="Plan">The plan that was carried out, its bytes those of the written file with what was reserved.</param>
/// <param name="Check">The measurement on held-out images, where the budget was one of divergence or loss; else null.</param>
public sealed record BudgetResult(CompressionResult Compression, NetworkAnalysis Analysis, PlanPoint Plan, HeldOutReport? Check);

/// <summary>Compresses a network to a size, or to a loss, by the best plan of block sizes, codebooks and layers left dense.</summary>
public static class BudgetCompressor
{
    /// <summary>Compressions that a budget of divergence or loss may take until one keeps to it.</summary>
    private const int MostAttempts = 4;

    /// <summary>As many as they usually take.</summary>
    private const int UsualAttempts = 2;

    /// <summary>A result that uses so much of what may be lost is not tried again for a smaller one.</summary>
    private const double NearEnough = 0.7;

    /// <summary>The share of answers that change over √KL, about, before it has been measured.</summary>
    private const double UsualShareOfClasses = 0.22;

    /// <summary>The average precision that is lost over √(1 − cosine), likewise.</summary>
    private const double UsualShareOfDetections = 3;

    /// <summary>Compresses.</summary>
    /// <param name="teacher">The trained network.</param>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them.</param>
    /// <param name="budget">What to keep to. The loss of a detector is what its detections lack of average precision, the teacher's taken for the objects (<see cref="HeldOutReport.AveragePrecision"/>).</param>
    /// <param name="options">How to compress; the block regime is not looked at, and overrides are kept. The analysis stays in its checkpoint folder: another budget does not make it again.</param>
    /// <param name="analysis">An analysis of the same network with the same options, where there is one already; null makes it.</param>
    /// <param name="progress">Told of every layer.</param>
    /// <param name="cancellationToken">Stops at the next step.</param>
    /// <exception cref="ArgumentException">The budget cannot be kept; the message names what can be reached.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static BudgetResult Compress(
        ModelGraph teacher, ISampleSource images, CompressionBudget budget, CompressionOptions? options = null, NetworkAnalysis? analysis = null,
        IProgress<CompressionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(budget);
        budget.Check();
        options ??= new();
        if (options.Method != CompressionMethod.Output)
            throw new ArgumentException("A budget is kept by the error of outputs; it needs the method 'output'.", nameof(options));
        var meter = new WorkMeter(progress);
        if (analysis is null)
        {
            meter.Ahead = (budget.IsOfSize ? 1 : UsualAttempts) * ModelCompressor.WorkOf(teacher, images, options with { Blocks = BlockRegime.Small }, cancellationToken);
            analysis = NetworkAnalyzer.Analyze(teacher, images, options, meter, cancellationToken);
        }
        CompressionPlan layers = ModelCompressor.Plan(teacher, images, options with { Blocks = BlockRegime.Small });
        ModelGraph model = AddedBiases.Give(LayerForms.Normalize(teacher), layers).WithMetadata(teacher.Metadata.SetItems(images.Metadata));
        return budget.IsOfSize ? ToSize() : ToLoss();

        // A loss that is kept to at the first attempt is often tried again for fewer bytes; whether it will be is not known before.
        CompressionResult Carry(PlanPoint plan, int attemptsAhead)
        {
            CompressionOptions carried = options with { Blocks = BlockRegime.Small, Overrides = [.. options.Overrides, .. Overrides(analysis, plan)] };
            meter.Ahead = attemptsAhead <= 0 ? default : attemptsAhead * ModelCompressor.WorkOf(teacher, images, carried, cancellationToken);
            return ModelCompressor.Compress(teacher, images, carried, meter, cancellationToken);
        }

        BudgetResult ToSize()
        {
            long target = budget.FileBytes ?? (long)(analysis.DenseBytes / budget.Ratio!.Value), reserved = budget.ReservedBytes;
            while (true)
            {
                PlanPoint plan = SizeFit.Within(model, analysis, target, reserved);
                CompressionResult result = Carry(plan, 0);
                long excess = OnnxWriter.Size(result.Student) + reserved - target;
                if (excess <= 0)
                    return new(result, analysis, plan, null);
                reserved += excess;
            }
        }

        BudgetResult ToLoss()
        {
            double limit = budget.Divergence ?? budget.LostShare!.Value, scale = 1, share = UsualShare(analysis, teacher, images);
            (BudgetResult Result, HeldOutReport Check)? best = null;
            double least = double.PositiveInfinity;
            for (int attempt = 0; attempt < MostAttempts; attempt++)
            {
                double divergence = budget.LostShare is { } lost && share > 0 ? lost * lost / (share * share) : limit;
                PlanPoint plan = analysis.Below(divergence / scale * (best is null && attempt > 0 ? 0.8 : 0.95)) ?? analysis.Curve[^1];
                CompressionResult result = Carry(plan, UsualAttempts - 1 - attempt);
                HeldOutReport check = HeldOutCheck.Run(teacher, result.Student, budget.HeldOut ?? new FirstSamples(images, 512), analysis.IsOfClasses ? OutputKind.Classes : null, options.Threads, runtime: options.ForeignRuntime, cancellationToken: cancellationToken);
                if (budget.LostShare is not null && check is { Kind: OutputKind.Detections, AveragePrecision: null })
                    throw new ArgumentException($"What the network finds cannot be measured: {check.Meaning}", nameof(budget));
                double measured = budget.Divergence is null ? check.LostShare : check.Loss;
                least = Math.Min(least, measured);
                if (measured <= limit && (best is null || plan.FileBytes < best.Value.Result.Plan.FileBytes))
                    best = (new(result, analysis, plan with { FileBytes = OnnxWriter.Size(result.Student) + budget.ReservedBytes }, check), check);
                if (plan.Divergence <= 0 || (measured <= limit && measured >= NearEnough * limit) || (best is not null && attempt > 0))
                    break;
                (scale, share) = (Math.Max(1e-3, check.Loss / plan.Divergence), share > 0 && check.LostShare > 0 && check.Loss > 0 ? check.LostShare / Math.Sqrt(check.Loss) : share);
            }
            return best?.Result ?? throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"No plan was found that loses at most {limit:0.#####}; the best of {MostAttempts} loses {least:0.#####} on held-out images. Give a higher limit or more images."), nameof(budget));
        }
    }

    /// <summary>How what is lost follows from the root of the divergence; 0 where it is the divergence.</summary>
    private static double UsualShare(NetworkAnalysis analysis, ModelGraph teacher, ISampleSource images) => analysis.IsOfClasses ? UsualShareOfClasses
        : OutputKinds.Of(teacher, images.Height, images.Width) == OutputKind.Detections ? UsualShareOfDetections : 0;

    private static System.Collections.Immutable.ImmutableArray<LayerOverride> Overrides(NetworkAnalysis analysis, PlanPoint plan) =>
        [.. analysis.Layers.Zip(plan.Choices).Where(p => p.First.Plan.IsQuantized).Select(p => p.Second.BlockSize == 0
            ? new LayerOverride(p.First.Plan.Weight, Skip: true, Reason: "by the budget")
            : new LayerOverride(p.First.Plan.Weight, p.Second.BlockSize, p.Second.Codewords, Reason: "budget"))];
}
