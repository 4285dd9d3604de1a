using System.Diagnostics;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>One compression at work: the layers in order, each from what the layers below have become.</summary>
internal sealed class CompressionRun(
    ModelGraph model, CompressionPlan plan, CompressionOptions options, DistillationStage? distillation, CheckpointFolder? checkpoints,
    CompressionResume? resume, IProgress<CompressionProgress>? progress, CancellationToken cancellationToken)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<LayerReport> _reports = [];
    private readonly double _layerShare = distillation is null ? 1 : 0.5;
    private WorkEstimate? _work;
    private double _done;

    /// <summary>The share of the whole work that is done.</summary>
    private double Fraction => _work is { Total: > 0 } work ? _layerShare * _done / work.Total : _layerShare;

    /// <summary>Compresses from images of a size in a store, which it takes over.</summary>
    public CompressionResult Run(ActivationStore store, CalibrationImages images, (int Height, int Width) size, IBackend backend, ForeignPart foreign)
    {
        using var frontier = new TwinFrontier(model, images, backend, store, foreign);
        _work = new(model, plan, options, images.Images * images.Views, size.Height, size.Width, foreign.Shapes);
        var quantizer = new LayerQuantizer(options, backend);
        var saved = resume?.Load();
        if (saved is not null)
            frontier.Replace(saved.Value.Weights);
        // Nodes wait until a layer needs what they make, and are then passed one batch at a time.
        var waiting = new List<Node>();
        StoredActivation[][]? outputs = null;
        Dictionary<string, Node> nodes = model.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        foreach (Node node in model.Nodes)
        {
            LayerPlan? layer = plan.Layers.FirstOrDefault(l => l.Node == node.Name);
            Node[] readers = layer is null ? [] : [.. layer.Readers.Select(r => nodes[r])];
            if (layer is { IsQuantized: true } && saved is not null && saved.Value.Reports.TryGetValue(_reports.Count, out var finished))
            {
                // The same stops as without the interruption: what is kept there is rounded.
                frontier.Advance(waiting, outputs, cancellationToken);
                waiting.Clear();
                outputs = options.Method == CompressionMethod.Output ? frontier.TeacherOutputs(readers, cancellationToken) : null;
                Finish(layer, finished.Error, finished.Objective, finished.Seconds, "resuming");
            }
            else if (layer is { IsQuantized: true })
            {
                frontier.Advance(waiting, outputs, cancellationToken);
                waiting.Clear();
                outputs = Quantize(frontier, quantizer, readers, layer);
            }
            else if (layer is not null)
                _reports.Add(new(layer, null, [], 0));
            else if (options.ReestimateBatchNorm && BatchNormEstimation.Applies(model, node))
            {
                frontier.Advance(waiting, outputs, cancellationToken);
                waiting.Clear();
                outputs = null;
                frontier.Replace(BatchNormEstimation.Estimate(node, frontier));
            }
            waiting.Add(node);
        }
        frontier.Advance(waiting, outputs, cancellationToken);
        store.Dispose(); // Distillation has use for the memory.
        ModelGraph student = distillation?.TuneAll(frontier.Student, checkpoints, _layerShare, cancellationToken) ?? frontier.Student;
        resume?.Delete();
        return new(student, new([.. _reports], images.Images, plan.DenseBytes, plan.PaperBytes, _watch.Elapsed.TotalSeconds) { Backend = backend.Name });
    }

    private StoredActivation[][]? Quantize(TwinFrontier frontier, LayerQuantizer quantizer, Node[] readers, LayerPlan layer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        progress?.Report(new("quantizing", layer.Weight, Fraction));
        TimeSpan start = _watch.Elapsed;
        LayerQuantizer.Outcome outcome = SharedOutcome.Share(
            quantizer.Quantize(frontier, model, readers, layer, Seed(options.Seed, _reports.Count), cancellationToken), frontier.Student, frontier.Images.Parts);
        frontier.Replace(outcome.Weights);
        if (distillation is not null)
            frontier.Replace(distillation.TuneLayer(frontier.Student, outcome.Weights.Select(w => w.Key), Fraction, cancellationToken));
        Finish(layer, outcome.RelativeError, outcome.Objective, (_watch.Elapsed - start).TotalSeconds, "quantizing");
        resume?.Save(frontier.Student, _reports);
        return outcome.TeacherOutputs;
    }

    private void Finish(LayerPlan layer, double error, double[] objective, double seconds, string stage)
    {
        _reports.Add(new(layer, error, [.. objective], seconds));
        _done += _work!.Of(layer);
        progress?.Report(new(stage, layer.Weight, Fraction, $"output error {error:P2}"));
    }

    private static int Seed(int seed, int layer) => unchecked(seed * 1000003 + layer);
}
