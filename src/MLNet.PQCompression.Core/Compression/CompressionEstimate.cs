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

    /// <summary>Each step is taken so often; the first is compiled while it runs and does not count.</summary>
    private const int Runs = 2;

    /// <summary>Multiplications of the evaluation that is measured, about.</summary>
    private const double Evaluated = 3e8;

    private const int MostBatch = 64;

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
        int views = CalibrationImages.ViewsOf(options, used, most);
        TensorShape image = new(model.Input.Shape[1], height, width);
        IReadOnlyDictionary<string, TensorShape> shapes = ShapeInference.Infer(model, new([1, .. image.Dimensions]));
        WorkEstimate work = WorkEstimate.OfCompression(model, plan, options with { Distillation = null }, used, used * views, image, shapes);
        Dictionary<string, Node> nodes = model.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        long worst = CompressionMemory.BytesPerImage(model, plan, options.Method, height, width, shapes).Select(l =>
            l.Bytes * used * views + CompressionMemory.StatisticsBytes(l.Layer.GeometryOf(nodes[l.Layer.Node].Operator), options.Method)).DefaultIfEmpty(0).Max();
        using IBackend backend = options.Backend?.Invoke(options.Threads) ?? new ManagedBackend(options.Threads);
        var speed = new WorkSpeed();
        for (int run = 0; run < Runs; run++)
        {
            MeasureEvaluation(model, image, shapes, backend, speed);
            MeasureLayer(backend, speed);
        }
        return new(used, views, speed.SecondsOf(work.Reading + work.AfterReading), worst + 2 * plan.DenseBytes + ProcessBytes);
    }

    /// <summary>The network's first nodes, as many as take a moment, on an image of random numbers or a few.</summary>
    private static void MeasureEvaluation(ModelGraph model, TensorShape image, IReadOnlyDictionary<string, TensorShape> shapes, IBackend backend, WorkSpeed speed)
    {
        var nodes = new List<Node>();
        double cost = 0;
        foreach (Node node in model.Nodes.TakeWhile(n => n.Operator is not Foreign))
        {
            if (cost >= Evaluated)
                break;
            nodes.Add(node);
            cost += WorkModel.Evaluation(model, node, shapes);
        }
        if (cost <= 0)
            return;
        int batch = Math.Clamp((int)(Evaluated / cost), 1, MostBatch);
        var images = new Activation(new([batch, .. image.Dimensions]), Numbers((int)(batch * image.Count), new Random(2)));
        string last = nodes[^1].Output;
        long start = Stopwatch.GetTimestamp();
        using INodeEvaluator evaluator = backend.Evaluate(model);
        evaluator.Evaluate(nodes, _ => images, name => name == last);
        speed.Add(WorkKind.Evaluation, batch * cost, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>A layer of random numbers is quantized.</summary>
    private static void MeasureLayer(IBackend backend, WorkSpeed speed)
    {
        const int rows = 64, length = 144, samples = 4096;
        var random = new Random(1);
        (float[] weight, Activation inputs, Activation outputs) = (Numbers(rows * length, random), new(new(samples, length), Numbers(samples * length, random)), new(new(samples, rows), Numbers(samples * rows, random)));
        var geometry = new LayerGeometry(rows, length);
        long start = Stopwatch.GetTimestamp();
        using IMoments moments = backend.Moments(geometry, 1);
        moments.Add(inputs, outputs, 1, 1, 0);
        OutputStatistics statistics = moments.ToStatistics();
        Add(WorkKind.Statistics, WorkModel.Statistics(geometry, samples, 1));
        var problem = new OutputProblem(statistics, weight, true, true, [.. Enumerable.Repeat(1f, rows)], 0.01, true, backend.Workers);
        Add(WorkKind.Solving, WorkModel.Solving(geometry));
        OutputAwareQuantizer.Quantize(problem.Objective, 9, new() { Codewords = 128, Starts = LayerQuantizer.Starts(geometry) }, backend);
        Add(WorkKind.Search, WorkModel.Search(geometry, 9, 128));

        void Add(WorkKind kind, Work work)
        {
            speed.Add(kind, work[kind], Stopwatch.GetElapsedTime(start).TotalSeconds);
            start = Stopwatch.GetTimestamp();
        }
    }

    private static float[] Numbers(int count, Random random) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}
