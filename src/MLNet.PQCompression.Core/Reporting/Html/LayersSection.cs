using System.Collections.Immutable;

namespace MLNet.PQCompression.Reporting.Html;

/// <summary>Every layer: what it takes, how far its outputs are off, and how the search went.</summary>
internal static class LayersSection
{
    public static HtmlText Of(CompressionDocument document)
    {
        IReadOnlyList<LayerSummary> layers = document.Summary.Layers;
        double mostBytes = Math.Max(1, layers.Max(l => l.PaperBytes)), mostError = layers.Max(l => l.RelativeError) is > 0 and var worst ? worst : 1;
        return HtmlText.Of($"""
            <section>
            <h2>Layers</h2>
            <p class="note">Bytes as the paper counts. Error is the share of the energy of a layer's outputs that is lost. Search is the objective step by step, from its highest value to its lowest.</p>
            <div class="scroll">
            <table>
            <thead><tr><th>layer</th><th class="wide">shape</th><th class="r">d</th><th class="r">k</th><th class="r wide">used</th><th>bytes</th><th>error</th><th class="widest">search</th></tr></thead>
            <tbody>
            {HtmlText.Join(layers, l => Row(l, mostBytes, mostError))}
            </tbody>
            </table>
            </div>
            </section>
            """);
    }

    private static HtmlText Row(LayerSummary layer, double mostBytes, double mostError) => HtmlText.Of($"""
        <tr><th title="{layer.Reason}">{layer.Weight}</th><td class="wide">{string.Join('×', layer.Shape)}</td><td class="r">{Number(layer.BlockSize)}</td><td class="r">{Number(layer.Codewords)}</td><td class="r wide">{Number(layer.UsedCodewords)}</td><td>{Bar(layer.PaperBytes / mostBytes, "size", $"{Bytes.Text(layer.PaperBytes)} of {Bytes.Text(layer.DenseBytes)}")}</td><td>{(layer.RelativeError is { } error ? Bar(error / mostError, "error", error < 0.001 ? FormattableString.Invariant($"{error:0.00%}") : FormattableString.Invariant($"{error:0.0%}")) : HtmlText.Of($"<span class=\"note\">{layer.Reason}</span>"))}</td><td class="widest">{Search(layer.Objective)}</td></tr>

        """);

    private static string Number(int? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "";

    private static HtmlText Bar(double share, string kind, string text) => HtmlText.Of(
        $"<div class=\"bar\"><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\"/><rect class=\"{kind}\" width=\"{100 * Math.Clamp(share, 0, 1):0.#}\" height=\"8\"/></svg><span>{text}</span></div>");

    /// <summary>A line from the first objective to the last.</summary>
    private static HtmlText Search(ImmutableArray<double>? objective)
    {
        if (objective is not { Length: > 1 } steps)
            return HtmlText.Of($"");
        (double least, double most) = (steps.Min(), steps.Max());
        string points = string.Join(' ', steps.Select((o, i) => FormattableString.Invariant($"{60.0 * i / (steps.Length - 1):0.#},{1 + 14 * (most - o) / Math.Max(most - least, 1e-9):0.#}")));
        return HtmlText.Of($"<svg class=\"spark\" viewBox=\"0 0 60 16\" role=\"img\" aria-label=\"objective falls to {steps[^1] / steps[0]:0%} of its first value\"><polyline points=\"{points}\"/></svg>");
    }
}
