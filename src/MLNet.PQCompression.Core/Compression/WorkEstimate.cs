using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>How much work a compression is, layer by layer, from shapes alone.</summary>
internal sealed class WorkEstimate
{
    /// <summary>A gradient step is the teacher's pass and the student's forward, and about twice that backward.</summary>
    private const double PassesOfStep = 4;

    private readonly Dictionary<string, Work> _layers = new(StringComparer.Ordinal);

    private WorkEstimate(WorkEstimate other) => (_layers, PassOfImage, Rest) = (other._layers, other.PassOfImage, other.Rest);

    /// <summary>Estimates.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="plan">What is to happen to its layers.</param>
    /// <param name="samples">Images and views of them.</param>
    /// <param name="image">The shape of an image, C×H×W.</param>
    /// <param name="networks">Networks that are taken over the frontier: two once they differ, or the teacher alone.</param>
    /// <param name="layerWork">The work at a layer, from its geometry, how often it is applied to an image, and the multiplications of a pass of an image through the network.</param>
    /// <param name="shapes">The shapes of all values for one image, or null to infer them.</param>
    public WorkEstimate(
        ModelGraph graph, CompressionPlan plan, int samples, TensorShape image, int networks, Func<LayerPlan, LayerGeometry, double, double, Work> layerWork, IReadOnlyDictionary<string, TensorShape>? shapes)
    {
        shapes ??= ShapeInference.Infer(graph, new([1, .. image.Dimensions]));
        Dictionary<string, LayerPlan> stops = plan.Layers.Where(l => l.IsQuantized).ToDictionary(l => l.Node, StringComparer.Ordinal);
        Dictionary<string, Node> nodes = graph.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        Dictionary<string, double> costs = graph.Nodes.ToDictionary(n => n.Name, n => WorkModel.Evaluation(graph, n, shapes), StringComparer.Ordinal);
        PassOfImage = costs.Values.Sum();
        // What lies between two quantized layers is passed when the next needs it, as is the layer by the student; what lies behind the last comes at the end.
        double passed = 0;
        foreach (Node node in graph.Nodes)
        {
            double own = samples * costs[node.Name];
            if (!stops.TryGetValue(node.Name, out LayerPlan? layer))
            {
                passed += (_layers.Count == 0 ? 1 : networks) * own;
                continue;
            }
            double positions = layer.Readers.Sum(r => WorkModel.Positions(graph, nodes[r], shapes));
            _layers[layer.Node] = Work.Of(WorkKind.Evaluation, passed + own) + layerWork(layer, layer.GeometryOf(node.Operator), positions, PassOfImage);
            passed = (networks - 1) * own;
        }
        Rest = Work.Of(WorkKind.Evaluation, passed);
        Reading = Work.Of(WorkKind.Reading, (double)samples * image.Count);
    }

    /// <summary>The multiplications of one pass of an image through the network, or what takes as long.</summary>
    public double PassOfImage { get; }

    /// <summary>The images.</summary>
    public Work Reading { get; private init; }

    /// <summary>What lies behind the last layer.</summary>
    public Work Rest { get; }

    /// <summary>The gradient steps at the end.</summary>
    public Work Epochs { get; private init; }

    /// <summary>All but the images.</summary>
    public Work AfterReading => _layers.Values.Aggregate(Rest + Epochs, (sum, layer) => sum + layer);

    /// <summary>The work of a layer, with that of the nodes before it; none where it is left alone.</summary>
    public Work Of(LayerPlan layer) => _layers.GetValueOrDefault(layer.Node);

    /// <summary>That of a compression.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="plan">What is to happen to its layers.</param>
    /// <param name="options">How.</param>
    /// <param name="found">The images there are.</param>
    /// <param name="samples">Those that statistics are taken from, and views of them.</param>
    /// <param name="image">The shape of an image, C×H×W.</param>
    /// <param name="shapes">The shapes of all values for one image, or null to infer them.</param>
    public static WorkEstimate OfCompression(
        ModelGraph graph, CompressionPlan plan, CompressionOptions options, int found, int samples, TensorShape image, IReadOnlyDictionary<string, TensorShape>? shapes)
    {
        DistillationOptions? distillation = options.Distillation;
        int learned = Math.Min(found, distillation?.MaxImages ?? 0);
        var work = new WorkEstimate(graph, plan, samples, image, 2, LayerWork, shapes);
        return distillation is null ? work : new(work)
        {
            Reading = work.Reading + Work.Of(WorkKind.Reading, (double)learned * image.Count),
            Epochs = Steps(distillation.Epochs * Math.Ceiling((double)learned / distillation.BatchSize), work.PassOfImage),
        };

        Work LayerWork(LayerPlan layer, LayerGeometry geometry, double positions, double pass) => Steps(distillation?.LayerSteps ?? 0, pass) + (options.Method == CompressionMethod.Output
            ? WorkModel.Statistics(geometry, samples, positions) + WorkModel.Solving(geometry) + WorkModel.Search(geometry, layer.BlockSize, layer.Codewords)
            : WorkModel.Clustering(geometry, layer, options.Method, options.Iterations, samples, positions));

        Work Steps(double steps, double pass) => Work.Of(WorkKind.Distillation, PassesOfStep * steps * (distillation?.BatchSize ?? 0) * pass);
    }
}
