using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// The block sizes of detectors that cut features out for each region, such as Faster and Mask R-CNN: those by which the paper's 26 times are reached. Backbone, pyramid and mask head have the usual small
/// blocks and k = 256 everywhere; the hidden linear layers of the box head, a third of all weights, have larger ones.
/// </summary>
internal static class RegionDetector
{
    /// <summary>Rows from here on are features of a whole grid of cells.</summary>
    private const int LongRow = 4096;

    /// <summary>Whether a network is such a detector.</summary>
    public static bool Applies(ModelGraph graph) => graph.ForeignNodes.Any(n => ((Foreign)n.Operator).Type is "RoiAlign" or "MaxRoiPool");

    /// <summary>d of a hidden linear layer.</summary>
    public static int BlockSize(LayerGeometry geometry) => geometry.RowLength >= LongRow ? 16 : 8;
}
