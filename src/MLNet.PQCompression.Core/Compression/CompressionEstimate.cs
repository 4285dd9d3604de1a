using System.Diagnostics;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>About how long a compression takes on this machine and how much memory, told before it starts.</summary>
/// <param name="Images">The images, at most.</param>
/// <param name="Views">How often each is looked at.</param>
/// <param name="Seconds">The time without distillation, from a short step that was measured.</param>
/// <param name="MemoryBytes">Activations of both networks, statistics of the widest layer, and weights.</param>
public sealed record CompressionEstimate(int Images, int Views, double Seconds, long MemoryBytes)
{
    /// <summary>What the process takes by itself, about.</summary>
    private const long ProcessBytes = 150L << 20;

    private const int Runs = 3;

    /// <summary>The time of the layer that is measured for its work, over that of a network's layers: it is small, and overheads count. Found on a ResNet-20 at 32².</summary>
    private const double SmallLayer = 0.38;

    /// <summary>Estimates.</summary>
    /// <param name="teacher">The network.</param>
    /// <param name="options">How it is compressed.</param>
    /// <param name="images">How many images there are; null for as many as are used at most.</param>
    /// <param name="height">Rows of the images, where the network leaves them open.</param>
    /// <param name="width">Columns of the images, likewise.</param>
    /// <exception cref="ArgumentException">An option cannot be met.</exception>
    public static CompressionEstimate Measure(ModelGraph teacher, CompressionOptions options, int? images = null, int height = 224, int width = 224)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(options);
        ModelGraph model = LayerForms.Normalize(teacher);
        CompressionPlan plan = CompressionPlan.Create(model, options);
        (height, width) = (model.Input.Shape[2] > 0 ? model.Input.Shape[2] : height, model.Input.Shape[3] > 0 ? model.Input.Shape[3] : width);
        int most = CompressionMemory.ImagesThatFit(model, plan, options, height, width), used = Math.Min(images ?? most, most);
        int views = options.Method == CompressionMethod.Output ? Math.Min(options.Views, Math.Max(1, most / used)) : 1;
        var work = new WorkEstimate(model, plan, options, used * views, height, width);
        Dictionary<string, Node> nodes = model.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        long worst = CompressionMemory.BytesPerImage(model, plan, options.Method, height, width).Select(l =>
            l.Bytes * used * views + CompressionMemory.StatisticsBytes(LayerGeometry.Of(nodes[l.Layer.Node].Operator, l.Layer.Shape), options.Method)).DefaultIfEmpty(0).Max();
        using IBackend backend = options.Backend?.Invoke(options.Threads) ?? new ManagedBackend(options.Threads);
        return new(used, views, work.Total / Rate(backend), worst + 2 * plan.DenseBytes + ProcessBytes);
    }

    /// <summary>Work a second: a layer of random numbers is quantized a few times, and the fastest counts.</summary>
    private static double Rate(IBackend backend)
    {
        const int rows = 64, length = 288, samples = 4096;
        var random = new Random(1);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        (float[] weight, Activation inputs, Activation outputs) = (Numbers(rows * length), new(new(samples, length), Numbers(samples * length)), new(new(samples, rows), Numbers(samples * rows)));
        var geometry = new LayerGeometry(rows, length);
        var layer = new LayerPlan("", "", new(rows, length), 9, 128, "");
        double seconds = double.PositiveInfinity;
        for (int run = 0; run < Runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            using IMoments moments = backend.Moments(geometry, 1);
            moments.Add(inputs, outputs, 1, 1, 0);
            var problem = new OutputProblem(moments.ToStatistics(), weight, true, true, [.. Enumerable.Repeat(1f, rows)], 0.01, true, backend.Workers);
            OutputAwareQuantizer.Quantize(problem.Objective, layer.BlockSize, new() { Codewords = layer.Codewords, Starts = LayerQuantizer.Starts(geometry) }, backend);
            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return WorkEstimate.Quantize(layer, geometry, CompressionMethod.Output, samples, 1) / (seconds * SmallLayer);
    }
}
