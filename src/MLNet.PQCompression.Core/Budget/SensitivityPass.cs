using System.Collections.Immutable;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Budget;

/// <summary>
/// One pass over the network that measures, layer by layer, the error of several codebooks by short searches on the same statistics, and with two of them what the network's answer loses when nothing else changes.
/// </summary>
internal sealed class SensitivityPass(ModelGraph model, CompressionPlan plan, CompressionOptions options, IProgress<CompressionProgress>? progress, CancellationToken cancellationToken)
{
    /// <summary>Measures.</summary>
    /// <param name="store">Keeps activations.</param>
    /// <param name="images">The images in it, which it takes over.</param>
    /// <param name="probe">What the network's answer loses.</param>
    /// <param name="backend">What it runs on.</param>
    /// <param name="foreign">Runs stretches with foreign nodes.</param>
    public ImmutableArray<LayerSensitivity> Run(ActivationStore store, CalibrationImages images, DivergenceProbe probe, IBackend backend, ForeignPart foreign)
    {
        var quantizer = new LayerQuantizer(options, backend);
        using var frontier = new TwinFrontier(model, images, backend, store, foreign);
        var waiting = new List<Node>();
        StoredActivation[][]? outputs = null;
        Dictionary<string, Node> nodes = model.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        var found = new List<LayerSensitivity>();
        var work = new WorkEstimate(model, plan, options, images.Images * images.Views, images.Batches[0].Shape[2], images.Batches[0].Shape[3], foreign.Shapes);
        double done = 0;
        foreach (Node node in model.Nodes)
        {
            if (plan.Layers.FirstOrDefault(l => l.Node == node.Name) is { } layer)
            {
                bool isFixed = options.Overrides.Any(o => o.Matches(layer.Node, layer.Weight));
                if (!layer.IsQuantized)
                    found.Add(Alone(layer));
                else
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    progress?.Report(new("measuring", layer.Weight, done / work.Total));
                    frontier.Advance(waiting, outputs, cancellationToken);
                    waiting.Clear();
                    (LayerSensitivity measured, outputs) = Measure(frontier, quantizer, [.. layer.Readers.Select(r => nodes[r])], layer, isFixed, probe);
                    found.Add(measured);
                    done += work.Of(layer);
                    progress?.Report(new("measuring", layer.Weight, done / work.Total, FormattableString.Invariant($"a divergence of {measured.Reference!.Value.Divergence:G3} at an error of {measured.Reference.Value.Error:P1}")));
                }
            }
            waiting.Add(node);
        }
        return [.. found];
    }

    private static LayerSensitivity Alone(LayerPlan layer) => new(layer, null, [new(0, 0, layer.DenseBytes, 0, 0, true)]);

    private (LayerSensitivity, StoredActivation[][]?) Measure(TwinFrontier frontier, LayerQuantizer quantizer, Node[] readers, LayerPlan layer, bool isFixed, DivergenceProbe probe)
    {
        IReadOnlyList<(int BlockSize, int[] Measured, int[] Choosable)> grid = isFixed ? [(layer.BlockSize, [layer.Codewords], [layer.Codewords])] : CandidateGrid.Of(readers[0].Operator, layer.Shape);
        (IReadOnlyList<LayerQuantizer.Trial> trials, StoredActivation[][]? outputs) = quantizer.Try(
            frontier, model, readers, layer, [.. grid.SelectMany(g => g.Measured.Select(k => (g.BlockSize, k)))], unchecked(options.Seed * 1000003 + layer.Weight.Length), cancellationToken);
        // What errors cost is measured near the middle of what a plan will choose, well above, and at the worst.
        LayerQuantizer.Trial near = Nearest(trials, layer.PaperBytes), far = Nearest(trials, layer.PaperBytes / 2), worst = trials.MaxBy(t => t.RelativeError)!;
        (LayerQuantizer.Trial Trial, double Cost)[] costs = [.. new[] { near, far, worst }.Distinct().Select(t => (t, probe.Measure(model.WithInitializers(t.Weights), cancellationToken)))];
        Func<double, double> divergence = ErrorModel.Divergence([.. costs.Select(c => (c.Trial.RelativeError, c.Cost))]);
        var choices = new List<LayerChoice>();
        foreach ((int d, int[] measured, int[] choosable) in grid)
        {
            (int, double)[] knots = [.. measured.Select(k => (k, trials.First(t => t.Plan.BlockSize == d && t.Plan.Codewords == k).RelativeError))];
            foreach (int k in choosable)
            {
                double error = ErrorModel.Error(knots, k);
                choices.Add(new(d, k, LayerChoice.QuantizedBytes(layer.Shape, d, k), error, divergence(error), measured.Contains(k)));
            }
        }
        if (!isFixed)
            choices.Add(new(0, 0, layer.DenseBytes, 0, 0, true));
        var reference = new LayerChoice(near.Plan.BlockSize, near.Plan.Codewords, LayerChoice.QuantizedBytes(layer.Shape, near.Plan.BlockSize, near.Plan.Codewords), near.RelativeError, costs[0].Cost, true);
        return (new(layer, reference, [.. choices.OrderByDescending(c => c.FileBytes)]), outputs);
    }

    private static LayerQuantizer.Trial Nearest(IReadOnlyList<LayerQuantizer.Trial> trials, long bytes) =>
        trials.MinBy(t => Math.Abs(Math.Log((double)t.Plan.PaperBytes / bytes)))!;
}
