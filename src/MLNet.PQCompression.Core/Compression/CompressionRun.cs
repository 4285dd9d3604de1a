using System.Diagnostics;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>One compression at work: the layers in order, each from what the layers below have become.</summary>
internal sealed class CompressionRun(
    ModelGraph model, CompressionPlan plan, CompressionOptions options, DistillationStage? distillation, CheckpointFolder? checkpoints,
    CompressionResume? resume, WorkMeter meter, CancellationToken cancellationToken)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<LayerReport> _reports = [];

    /// <summary>Compresses from images of a shape, C×H×W, in a store, which it takes over.</summary>
    public CompressionResult Run(ActivationStore store, CalibrationImages images, TensorShape image, IBackend backend, ForeignPart foreign)
    {
        using var frontier = new TwinFrontier(model, images, backend, store, foreign);
        WorkEstimate work = WorkEstimate.OfCompression(model, plan, options, distillation?.Images ?? images.Images, images.Images * images.Views, image, foreign.Shapes);
        meter.Plan(work.AfterReading);
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
            if (layer is { IsQuantized: true })
            {
                WorkItem item = meter.Begin(work.Of(layer), layer.Weight);
                using (item.Time(WorkKind.Evaluation))
                    frontier.Advance(waiting, outputs, cancellationToken);
                waiting.Clear();
                // A resumed layer makes the same stops as without the interruption: what is kept there is rounded.
                string stage = "quantizing";
                if (saved is not null && saved.Value.Reports.TryGetValue(_reports.Count, out var finished))
                {
                    stage = "resuming";
                    outputs = options.Method == CompressionMethod.Output ? frontier.TeacherOutputs(readers, cancellationToken) : null;
                    _reports.Add(new(layer, finished.Error, [.. finished.Objective], finished.Seconds));
                }
                else
                    outputs = Quantize(frontier, quantizer, readers, layer, item);
                item.Dispose();
                meter.Tell(stage, layer.Weight, $"output error {_reports[^1].RelativeError:P2}");
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
        using (WorkItem item = meter.Begin(work.Rest))
        using (item.Time(WorkKind.Evaluation))
            frontier.Advance(waiting, outputs, cancellationToken);
        store.Dispose(); // Distillation has use for the memory.
        ModelGraph student = distillation is null ? frontier.Student
            : meter.Do(WorkKind.Distillation, work.Epochs, item => distillation.TuneAll(frontier.Student, checkpoints, item, cancellationToken));
        meter.Tell("done");
        resume?.Delete();
        return new(student, new([.. _reports], images.Images, plan.DenseBytes, plan.PaperBytes, _watch.Elapsed.TotalSeconds) { Backend = backend.Name });
    }

    private StoredActivation[][]? Quantize(TwinFrontier frontier, LayerQuantizer quantizer, Node[] readers, LayerPlan layer, WorkItem item)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TimeSpan start = _watch.Elapsed;
        LayerQuantizer.Outcome outcome = SharedOutcome.Share(
            quantizer.Quantize(frontier, model, readers, layer, Seed(options.Seed, _reports.Count), item, cancellationToken), frontier.Student, frontier.Images.Parts);
        frontier.Replace(outcome.Weights);
        if (distillation is not null)
            frontier.Replace(distillation.TuneLayer(frontier.Student, outcome.Weights.Select(w => w.Key), item, cancellationToken));
        _reports.Add(new(layer, outcome.RelativeError, [.. outcome.Objective], (_watch.Elapsed - start).TotalSeconds));
        resume?.Save(frontier.Student, _reports);
        return outcome.TeacherOutputs;
    }

    private static int Seed(int seed, int layer) => unchecked(seed * 1000003 + layer);
}
