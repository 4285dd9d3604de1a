using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli;

/// <summary>What analyze writes.</summary>
/// <param name="Model">The file.</param>
/// <param name="DenseBytes">Its parameters in float32, as the paper counts.</param>
/// <param name="Images">The images it was measured on.</param>
/// <param name="Kind">What the output is: classes, with divergences in nats, or features, with 1 − cosine.</param>
/// <param name="Layers">Every layer.</param>
/// <param name="Curve">The best plans, by rising bytes.</param>
/// <param name="Seconds">The time it took.</param>
internal sealed record AnalysisResult(string Model, long DenseBytes, int Images, OutputKind Kind, IReadOnlyList<AnalyzedLayer> Layers, IReadOnlyList<CurvePoint> Curve, double Seconds)
{
    /// <summary>Points of the curve that are written.</summary>
    private const int MostPoints = 200;

    public static AnalysisResult Of(string model, NetworkAnalysis analysis) => new(
        model, analysis.DenseBytes, analysis.Images, analysis.IsOfClasses ? OutputKind.Classes : OutputKind.Features,
        [.. analysis.Layers.Select(AnalyzedLayer.Of)], Thin(analysis), analysis.Seconds);

    /// <summary>The curve down to some points, evenly spread over the logarithm of the bytes.</summary>
    /// <param name="analysis">The analysis.</param>
    /// <param name="chosen">A plan that was carried out; it is one of the points.</param>
    public static IReadOnlyList<CurvePoint> Thin(NetworkAnalysis analysis, PlanPoint? chosen = null)
    {
        (double first, double last) = (Math.Log(analysis.Curve[0].FileBytes), Math.Log(analysis.Curve[^1].FileBytes));
        IEnumerable<CurvePoint> points = analysis.Curve.GroupBy(p => (int)((Math.Log(p.FileBytes) - first) / Math.Max(last - first, 1e-9) * MostPoints)).Select(g => new CurvePoint(g.Last().FileBytes, g.Last().Divergence));
        return [.. (chosen is null ? points : points.Append(new(chosen.FileBytes, chosen.Divergence, IsChosen: true))).OrderBy(p => p.FileBytes)];
    }
}

/// <summary>What was measured of a layer.</summary>
/// <param name="Name">The layer's node.</param>
/// <param name="Weight">The name of its weight.</param>
/// <param name="Shape">The weight's shape.</param>
/// <param name="BlockSize">d of the measurement, or null where the layer is left alone.</param>
/// <param name="Codewords">k of the measurement, or null.</param>
/// <param name="Error">The share of the energy of the layer's outputs that was error.</param>
/// <param name="Divergence">What that alone cost the network.</param>
/// <param name="Reason">Why the layer is left alone, or the rule of its block size.</param>
/// <param name="Choices">All block sizes and codebooks considered, by falling bytes.</param>
internal sealed record AnalyzedLayer(
    string Name, string Weight, IReadOnlyList<int> Shape, int? BlockSize, int? Codewords, double? Error, double? Divergence, string Reason, IReadOnlyList<LayerChoice> Choices)
{
    public static AnalyzedLayer Of(LayerSensitivity layer) => new(
        layer.Plan.Node, layer.Plan.Weight, layer.Plan.Shape.Dimensions, layer.Reference?.BlockSize, layer.Reference?.Codewords, layer.Reference?.Error, layer.Reference?.Divergence,
        layer.Plan.Reason, layer.Choices);
}
