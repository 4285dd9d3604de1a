using System.Collections.Immutable;
using System.Diagnostics;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Compression;

/// <summary>Compresses a trained ConvNet from unlabelled images: layer after layer, each guided by what the layers below have become.</summary>
public static class ModelCompressor
{
    /// <summary>Floats of one image batch at the input, about; batches bound what a layer's evaluation takes at once.</summary>
    private const int BatchFloats = 1 << 20;

    /// <summary>Compresses a model.</summary>
    /// <param name="teacher">The trained network.</param>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them.</param>
    /// <param name="options">What to do; null for the defaults.</param>
    /// <param name="progress">Told of every layer.</param>
    /// <param name="cancellationToken">Stops at the next step; what is in the checkpoint folder stays.</param>
    /// <returns>The compressed network and a report.</returns>
    /// <exception cref="ArgumentException">The images do not fit the model, there are none, or an option cannot be met.</exception>
    /// <exception cref="InvalidModelException">The model cannot be run on the images.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static CompressionResult Compress(
        ModelGraph teacher, ISampleSource images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(images);
        options ??= new();
        var watch = Stopwatch.StartNew();
        ModelGraph model = LinearLayers.Normalize(teacher);
        CompressionPlan plan = CompressionPlan.Create(model, options);
        CheckInput(model, images);
        progress?.Report(new("reading images", null, 0));
        Activation[] batches = ReadImages(images, options.MaxImages, cancellationToken);
        using DistillationStage? distillation = options.Distillation is null ? null : new(model, images, options, progress, cancellationToken);
        CheckpointFolder? checkpoints = options.CheckpointFolder is null ? null : new(options.CheckpointFolder);
        CompressionResume? resume = checkpoints is null ? null : new(checkpoints, model, batches, distillation?.ImagesHash, options);
        using var pool = new WorkerPool(options.Threads);
        var quantizer = new LayerQuantizer(options, pool);
        var frontier = new TwinFrontier(model, batches, pool);
        var saved = resume?.Load();
        if (saved is not null)
            frontier.Replace(saved.Value.Weights);
        var reports = new List<LayerReport>();
        double layerShare = distillation is null ? 1 : 0.5;
        long work = plan.Layers.Sum(Work), done = 0;
        foreach (Node node in model.Nodes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LayerPlan? layer = plan.Layers.FirstOrDefault(l => l.Node == node.Name);
            if (layer is not { IsQuantized: true })
            {
                if (layer is not null)
                    reports.Add(new(layer, null, [], 0));
                ReestimateBatchNorm(frontier, node, options);
                frontier.Advance(node);
                continue;
            }
            double fraction = layerShare * done / work;
            if (saved is not null && saved.Value.Reports.TryGetValue(reports.Count, out var finished))
            {
                frontier.Advance(node);
                reports.Add(new(layer, finished.Error, [.. finished.Objective], finished.Seconds));
                done += Work(layer);
                progress?.Report(new("resuming", layer.Weight, layerShare * done / work));
                continue;
            }
            progress?.Report(new("quantizing", layer.Weight, fraction));
            TimeSpan start = watch.Elapsed;
            LayerQuantizer.Outcome outcome = quantizer.Quantize(frontier, model, node, layer, Seed(options.Seed, reports.Count), cancellationToken);
            frontier.Replace(outcome.Weights);
            if (distillation is not null)
                frontier.Replace(distillation.TuneLayer(frontier.Student, outcome.Weights.Select(w => w.Key), fraction, cancellationToken));
            frontier.Advance(node, outcome.TeacherOutputs);
            reports.Add(new(layer, outcome.RelativeError, [.. outcome.Objective], (watch.Elapsed - start).TotalSeconds));
            done += Work(layer);
            resume?.Save(frontier.Student, reports);
            progress?.Report(new("quantizing", layer.Weight, layerShare * done / work, $"output error {outcome.RelativeError:P2}"));
        }
        ModelGraph student = distillation?.TuneAll(frontier.Student, checkpoints, layerShare, cancellationToken) ?? frontier.Student;
        resume?.Delete();
        var report = new CompressionReport([.. reports], batches.Sum(b => b.Shape[0]), plan.DenseBytes, plan.PaperBytes, watch.Elapsed.TotalSeconds);
        return new(student, report);
    }

    /// <summary>A layer's share of the work, about: statistics grow with the square of its rows' length.</summary>
    private static long Work(LayerPlan layer) => layer.IsQuantized ? layer.Shape.Count + (layer.Shape.Count / layer.Shape[0]) * 64 : 0;

    private static int Seed(int seed, int layer) => unchecked(seed * 1000003 + layer);

    private static void CheckInput(ModelGraph model, ISampleSource images)
    {
        TensorShape input = model.Input.Shape;
        int[] given = [-1, images.Channels, images.Height, images.Width];
        if (input.Rank != 4 || given.Where((d, i) => i > 0 && input[i] >= 0 && input[i] != d).Any())
            throw new ArgumentException($"Model '{model.Name}' takes images of {input}; these are {new TensorShape(given)}.", nameof(images));
    }

    private static Activation[] ReadImages(ISampleSource images, int most, CancellationToken cancellationToken)
    {
        int length = images.Channels * images.Height * images.Width;
        int batchSize = Math.Clamp(BatchFloats / length, 1, 256), left = most;
        var batches = new List<Activation>();
        foreach (SampleBatch batch in images.Read(batchSize, cancellationToken))
        {
            int count = Math.Min(batch.Count, left);
            if (count > 0)
                batches.Add(new(new(count, images.Channels, images.Height, images.Width), batch.Data[..(count * length)].ToArray()));
            left -= count;
            if (left <= 0)
                break;
        }
        return batches.Count > 0 ? [.. batches] : throw new ArgumentException("There are no images to take statistics from.", nameof(images));
    }

    /// <summary>Gives a BatchNorm of the student the mean and variance of the student's own activations.</summary>
    private static void ReestimateBatchNorm(TwinFrontier frontier, Node node, CompressionOptions options)
    {
        if (!options.ReestimateBatchNorm || node.Operator is not BatchNormalization || node.Inputs[3..].Any(i => !frontier.Student.Initializers.ContainsKey(i)))
            return;
        Activation[] batches = frontier.StudentValue(node.Inputs[0]);
        int channels = batches[0].Shape[1];
        var sums = new double[channels];
        var squares = new double[channels];
        long count = 0;
        foreach (Activation batch in batches)
        {
            int plane = (int)(batch.Shape.Count / batch.Shape[0] / channels);
            for (int i = 0; i < batch.Shape[0] * channels; i++)
                foreach (float x in batch.Span.Slice(i * plane, plane))
                {
                    sums[i % channels] += x;
                    squares[i % channels] += (double)x * x;
                }
            count += (long)batch.Shape[0] * plane;
        }
        var mean = new float[channels];
        var variance = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            mean[c] = (float)(sums[c] / count);
            variance[c] = (float)Math.Max(0, squares[c] / count - sums[c] / count * (sums[c] / count));
        }
        frontier.Replace([new(node.Inputs[3], new DenseTensor(new(channels), mean)), new(node.Inputs[4], new DenseTensor(new(channels), variance))]);
    }
}
