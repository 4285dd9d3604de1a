using System.Collections.Immutable;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Budget;

/// <summary>
/// One pass over the network that measures, layer by layer, the error of several codebooks by short searches on the same statistics, and with two of them what the network's answer loses when nothing else changes.
/// </summary>
internal sealed class SensitivityPass(ModelGraph model, CompressionPlan plan, CompressionOptions options, WorkMeter meter, CancellationToken cancellationToken)
{
    /// <summary>Choices of a layer whose cost to the network is measured, at most.</summary>
    private const int MostCosts = 3;

    private readonly Dictionary<string, Node> _nodes = model.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);

    /// <summary>The work that it is.</summary>
    /// <param name="samples">The images that statistics are taken from.</param>
    /// <param name="probed">Those that the network's answers are measured on.</param>
    /// <param name="image">The shape of an image, C×H×W.</param>
    /// <param name="shapes">The shapes of all values for one image, or null to infer them.</param>
    public WorkEstimate WorkOf(int samples, int probed, TensorShape image, IReadOnlyDictionary<string, TensorShape>? shapes) =>
        new(model, plan, samples, image, 1, (layer, geometry, positions, pass) =>
        {
            Work work = WorkModel.Statistics(geometry, samples, positions) + WorkModel.Solving(geometry) + Work.Of(WorkKind.Scoring, MostCosts * probed * pass);
            foreach ((int d, int[] measured, _) in Grid(layer))
                foreach (int k in measured)
                    work += WorkModel.Search(geometry with { Rows = geometry.Rows / LayerTrials.StepOf(geometry, d, k) }, d, k, isShort: true);
            // Those whose cost is measured are searched once more where some of the rows have told their errors.
            return LayerTrials.StepOf(geometry, layer.BlockSize, layer.Codewords) == 1 ? work : work + MostCosts * WorkModel.Search(geometry, layer.BlockSize, layer.Codewords, isShort: true);
        }, shapes);

    /// <summary>Measures.</summary>
    /// <param name="store">Keeps activations.</param>
    /// <param name="images">The images in it, which it takes over.</param>
    /// <param name="image">Their shape, C×H×W.</param>
    /// <param name="probe">What the network's answer loses.</param>
    /// <param name="backend">What it runs on.</param>
    /// <param name="foreign">Runs stretches with foreign nodes.</param>
    /// <param name="resume">Keeps what is measured and knows what was, or null.</param>
    public ImmutableArray<LayerSensitivity> Run(
        ActivationStore store, CalibrationImages images, TensorShape image, DivergenceProbe probe, IBackend backend, ForeignPart foreign, AnalysisResume? resume)
    {
        IReadOnlyDictionary<string, LayerSensitivity>? saved = resume?.Load(plan);
        var quantizer = new LayerQuantizer(options, backend);
        using var frontier = new TwinFrontier(model, images, backend, store, foreign);
        var waiting = new List<Node>();
        StoredActivation[][]? outputs = null;
        var found = new List<LayerSensitivity>();
        WorkEstimate work = WorkOf(images.Images * images.Views, probe.Images, image, foreign.Shapes);
        meter.Plan(work.AfterReading);
        foreach (Node node in model.Nodes)
        {
            if (plan.Layers.FirstOrDefault(l => l.Node == node.Name) is { } layer)
            {
                if (!layer.IsQuantized)
                    found.Add(Alone(layer));
                else
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    WorkItem item = meter.Begin(work.Of(layer), layer.Weight);
                    using (item.Time(WorkKind.Evaluation))
                        frontier.Advance(waiting, outputs, cancellationToken);
                    waiting.Clear();
                    // What was measured before the interruption makes the same stop as then: what is kept there is rounded.
                    if (saved?.GetValueOrDefault(layer.Weight) is { } measured)
                        outputs = frontier.TeacherOutputs([.. layer.Readers.Select(r => _nodes[r])], cancellationToken);
                    else
                        (measured, outputs) = Measure(frontier, quantizer, layer, probe, item);
                    found.Add(measured);
                    resume?.Save(found);
                    item.Dispose();
                    meter.Tell("measuring", layer.Weight, FormattableString.Invariant($"a divergence of {measured.Reference!.Value.Divergence:G3} at an error of {measured.Reference.Value.Error:P1}"));
                }
            }
            waiting.Add(node);
        }
        return [.. found];
    }

    /// <summary>A layer that the options name has one choice: what its plan says.</summary>
    private bool IsFixed(LayerPlan layer) => options.Overrides.Any(o => o.Matches(layer.Node, layer.Weight));

    private IReadOnlyList<(int BlockSize, int[] Measured, int[] Choosable)> Grid(LayerPlan layer) =>
        IsFixed(layer) ? [(layer.BlockSize, [layer.Codewords], [layer.Codewords])] : CandidateGrid.Of(layer.GeometryOf(_nodes[layer.Node].Operator), layer.Shape);

    private static LayerSensitivity Alone(LayerPlan layer) => new(layer, null, [new(0, 0, layer.DenseBytes, 0, 0, true)]);

    private (LayerSensitivity, StoredActivation[][]?) Measure(TwinFrontier frontier, LayerQuantizer quantizer, LayerPlan layer, DivergenceProbe probe, WorkItem item)
    {
        IReadOnlyList<(int BlockSize, int[] Measured, int[] Choosable)> grid = Grid(layer);
        LayerTrials trials = quantizer.Try(frontier, model, [.. layer.Readers.Select(r => _nodes[r])], layer, unchecked(options.Seed * 1000003 + layer.Weight.Length), item, cancellationToken);
        var errors = new Dictionary<(int BlockSize, int Codewords), double>();
        LayerTrials.Trial[] costly;
        using (item.Time(WorkKind.Search))
        {
            foreach ((int d, int[] measured, _) in grid)
                foreach (int k in measured)
                    errors[(d, k)] = trials.Error(d, k);
            // What errors cost is measured near the middle of what a plan will choose, well above, and at the worst.
            (int, int) near = Nearest(errors.Keys, layer, layer.PaperBytes), far = Nearest(errors.Keys, layer, layer.PaperBytes / 2), worst = errors.MaxBy(e => e.Value).Key;
            costly = [.. new[] { near, far, worst }.Distinct().Select(((int BlockSize, int Codewords) c) => trials.Quantize(c.BlockSize, c.Codewords))];
        }
        using IDisposable scored = item.Time(WorkKind.Scoring);
        double[] costs = [.. costly.Select(t => probe.Measure(model.WithInitializers(t.Weights), cancellationToken))];
        Func<double, double> divergence = ErrorModel.Divergence([.. costly.Zip(costs, (t, cost) => (t.RelativeError, cost))]);
        var choices = new List<LayerChoice>();
        foreach ((int d, int[] measured, int[] choosable) in grid)
        {
            (int, double)[] knots = [.. measured.Select(k => (k, errors[(d, k)]))];
            foreach (int k in choosable)
            {
                double error = ErrorModel.Error(knots, k);
                choices.Add(new(d, k, LayerChoice.QuantizedBytes(layer.Shape, d, k), error, divergence(error), measured.Contains(k)));
            }
        }
        if (!IsFixed(layer))
            choices.Add(new(0, 0, layer.DenseBytes, 0, 0, true));
        LayerPlan nearest = costly[0].Plan;
        var reference = new LayerChoice(nearest.BlockSize, nearest.Codewords, LayerChoice.QuantizedBytes(layer.Shape, nearest.BlockSize, nearest.Codewords), costly[0].RelativeError, costs[0], true);
        return (new(layer, reference, [.. choices.OrderByDescending(c => c.FileBytes)]), trials.TeacherOutputs);
    }

    private static (int BlockSize, int Codewords) Nearest(IEnumerable<(int BlockSize, int Codewords)> choices, LayerPlan layer, long bytes) =>
        choices.MinBy(c => Math.Abs(Math.Log((double)(layer with { BlockSize = c.BlockSize, Codewords = c.Codewords }).PaperBytes / bytes)));
}
