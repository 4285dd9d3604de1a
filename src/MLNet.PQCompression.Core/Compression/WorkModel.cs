using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>What each kind of work costs, in multiplications or what takes as long, from shapes alone.</summary>
/// <remarks>The constants are those that fit the processor time of the layers of a ResNet-20 at 32² and a ResNet-18 at 224² within about a third.</remarks>
internal static class WorkModel
{
    /// <summary>What a row of inputs costs to gather, sum and compare between images, for each of its values.</summary>
    private const double RowOverhead = 240;

    /// <summary>What a value of a layer's inputs and outputs costs to load, whether its row is taken or not.</summary>
    private const double LoadOverhead = 150;

    /// <summary>What a value costs to make, besides multiplications, to keep and to load.</summary>
    private const double ValueOverhead = 32;

    /// <summary>Rounds that a whole search usually takes of the 12 that it may.</summary>
    private const double UsualRounds = 6.5;

    /// <summary>What k-means and the first codes of a start take, in rounds.</summary>
    private const double RoundsOfStart = 1.5;

    /// <summary>A short search in rounds of a whole one, which have perturbed sweeps and more steps for the codebook.</summary>
    private const double RoundsOfShortSearch = 1.8;

    /// <summary>What a round costs for each block position besides multiplications: its work is parted between threads many times.</summary>
    private const double PositionOverhead = 1e6;

    /// <summary>Cholesky factors, products and cross-validation of the drift correction, in cubes of a row's length.</summary>
    private const double Cubes = 3;

    /// <summary>What is done to each value of these matrices besides.</summary>
    private const double SquareOverhead = 2400;

    /// <summary>What evaluating a node costs for one image.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="node">The node.</param>
    /// <param name="shapes">The shapes of all values for one image.</param>
    public static double Evaluation(ModelGraph graph, Node node, IReadOnlyDictionary<string, TensorShape> shapes)
    {
        double values = node.Outputs.Sum(o => Count(shapes, o));
        return values * ValueOverhead + (LayerForms.IsLayer(graph, node) ? Positions(graph, node, shapes) * graph.Initializers[node.Inputs[1]].Shape.Count : 0);
    }

    /// <summary>How often a layer's weight is applied for one image.</summary>
    public static double Positions(ModelGraph graph, Node node, IReadOnlyDictionary<string, TensorShape> shapes)
    {
        var geometry = LayerGeometry.Of(node.Operator, graph.Initializers[node.Inputs[1]].Shape);
        return Math.Max(1, Count(shapes, node.Output) / geometry.Rows);
    }

    /// <summary>A layer's moments.</summary>
    public static Work Statistics(LayerGeometry geometry, int samples, double positions)
    {
        (double n, double taken) = (geometry.RowLength, Math.Min(samples * positions, LayerInputs.RowsWanted(geometry) + samples));
        return Work.Of(WorkKind.Statistics, geometry.Groups * taken * n * (n / 2 + geometry.RowsPerGroup + RowOverhead) + LoadOverhead * samples * positions * (geometry.Rows + Channels(geometry)));
    }

    /// <summary>A layer's target and drift correction.</summary>
    public static Work Solving(LayerGeometry geometry) => Work.Of(WorkKind.Solving, geometry.Groups * Math.Pow(geometry.RowLength, 2) * (Cubes * geometry.RowLength + SquareOverhead));

    /// <summary>The search for a layer's codes and codebook.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="codewords">k.</param>
    /// <param name="isShort">Whether it is one that only tells choices apart.</param>
    public static Work Search(LayerGeometry geometry, int blockSize, int codewords, bool isShort = false)
    {
        (double n, double rows) = (geometry.RowLength, geometry.Rows);
        double rounds = isShort ? RoundsOfShortSearch : UsualRounds + LayerQuantizer.Starts(geometry) * RoundsOfStart;
        return Work.Of(WorkKind.Search, rounds * (rows * n * (2 * codewords + n) + n / blockSize * PositionOverhead));
    }

    /// <summary>k-means of a layer's blocks, guided by the moments of its input blocks where the method is the paper's.</summary>
    public static Work Clustering(LayerGeometry geometry, LayerPlan layer, CompressionMethod method, int iterations, int samples, double positions) =>
        Work.Of(WorkKind.Search, (double)iterations * layer.Shape.Count * layer.Codewords)
        + Work.Of(WorkKind.Statistics, method == CompressionMethod.Paper ? samples * positions * geometry.RowLength * layer.BlockSize : 0);

    private static double Channels(LayerGeometry geometry) => geometry.Groups * (double)geometry.RowLength / (geometry.Window is { } window ? window.KernelHeight * window.KernelWidth : 1);

    private static double Count(IReadOnlyDictionary<string, TensorShape> shapes, string name) => shapes.TryGetValue(name, out TensorShape shape) ? shape.Count : 0;
}
