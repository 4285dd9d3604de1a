using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>How much work each layer of a compression is, in multiplications or what takes as long, from shapes alone.</summary>
/// <remarks>The parts were weighed by the times of the layers of a ResNet-20 at 32² and a ResNet-18 at 224².</remarks>
internal sealed class WorkEstimate
{
    /// <summary>What a row of inputs costs to gather, sum and compare between images, for each of its values.</summary>
    private const double RowOverhead = 256;

    /// <summary>Sweeps over the codes of a whole search: two and three perturbed ones of three in each of a usual number of rounds.</summary>
    private const double Sweeps = 120;

    /// <summary>Sweeps of each start.</summary>
    private const double SweepsOfStart = 3;

    /// <summary>Cholesky factors, products and cross-validation of the drift correction, in cubes of a row's length.</summary>
    private const double Cubes = 3;

    private readonly Dictionary<string, double> _layers = new(StringComparer.Ordinal);

    /// <summary>Estimates.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="plan">What is to happen to its layers.</param>
    /// <param name="options">The method.</param>
    /// <param name="samples">Images and views of them.</param>
    /// <param name="height">Rows of the images.</param>
    /// <param name="width">Columns of the images.</param>
    /// <param name="shapes">The shapes of all values for one image, or null to infer them.</param>
    public WorkEstimate(ModelGraph graph, CompressionPlan plan, CompressionOptions options, int samples, int height, int width, IReadOnlyDictionary<string, TensorShape>? shapes = null)
    {
        shapes ??= ShapeInference.Infer(graph, new(1, graph.Input.Shape[1], height, width));
        Dictionary<string, LayerPlan> plans = plan.Layers.ToDictionary(l => l.Weight, StringComparer.Ordinal);
        Dictionary<string, Node> nodes = graph.Nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
        double Positions(Node node, LayerPlan layer) => shapes.TryGetValue(node.Output, out TensorShape shape) ? Math.Max(1, (double)shape.Count / layer.Rows) : 1;
        // What lies between two quantized layers is passed when the next needs it; what lies behind the last comes at the end.
        double passed = 0;
        string? last = null;
        foreach (Node node in graph.Nodes)
        {
            if (node.Inputs.Length < 2 || !plans.TryGetValue(node.Inputs[1], out LayerPlan? layer))
                continue;
            passed += 2 * samples * Positions(node, layer) * layer.Shape.Count;
            if (!layer.IsQuantized || node.Name != layer.Node)
                continue;
            double positions = layer.Readers.Sum(r => Positions(nodes[r], layer));
            _layers[layer.Node] = passed + Quantize(layer, LayerGeometry.Of(node.Operator, layer.Shape), options.Method, samples, positions);
            (passed, last) = (0, layer.Node);
        }
        if (last is not null)
            _layers[last] += passed;
        Total = _layers.Values.Sum();
    }

    /// <summary>The work of all layers.</summary>
    public double Total { get; }

    /// <summary>The work of a layer, with that of the nodes before it; 0 where it is left alone.</summary>
    public double Of(LayerPlan layer) => _layers.GetValueOrDefault(layer.Node);

    internal static double Quantize(LayerPlan layer, LayerGeometry geometry, CompressionMethod method, int samples, double positions)
    {
        (double n, double rows, double k, double d) = (geometry.RowLength, geometry.Rows, layer.Codewords, layer.BlockSize);
        if (method != CompressionMethod.Output)
            return 100 * (double)layer.Shape.Count * k + (method == CompressionMethod.Paper ? samples * positions * n * d : 0);
        double taken = Math.Min(samples * positions, LayerInputs.RowsWanted(geometry) + samples);
        double statistics = geometry.Groups * taken * n * (n / 2 + geometry.RowsPerGroup + RowOverhead);
        double search = (LayerQuantizer.Starts(geometry) * SweepsOfStart + Sweeps) * rows * n * (k + n / 2);
        return statistics + search + geometry.Groups * Cubes * n * n * n;
    }
}
