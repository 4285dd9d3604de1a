namespace MLNet.PQCompression.Reporting.Html;

/// <summary>What other sizes would give: divergence over bytes, both on logarithmic axes.</summary>
internal static class CurveSection
{
    private const double Width = 640, Height = 260, Left = 52, Right = 14, Top = 12, Bottom = 46;

    /// <summary>Divergences below this share of the largest say nothing to anybody.</summary>
    private const double LeastShown = 1e-4;

    public static HtmlText Of(CompressionDocument document)
    {
        double most = document.Curve.Select(p => p.Divergence).DefaultIfEmpty(0).Max();
        CurvePoint[] curve = [.. document.Curve.Where(p => p.Divergence > LeastShown * most).OrderBy(p => p.FileBytes)];
        if (curve.Length < 2)
            return HtmlText.Of($"");
        return HtmlText.Of($"""
            <section>
            <h2>What other sizes would give</h2>
            <p class="note">Each point is the best plan of its size by the model that chose this one: errors of single layers, added. The filled point was carried out.</p>
            {Chart(curve)}
            </section>
            """);
    }

    /// <summary>The curve as SVG; it takes its colours from the page.</summary>
    internal static HtmlText Chart(CurvePoint[] curve)
    {
        var x = new LogAxis(curve.Min(p => p.FileBytes), curve.Max(p => p.FileBytes), Left, Width - Right, 1024);
        var y = new LogAxis(curve.Min(p => p.Divergence), curve.Max(p => p.Divergence), Height - Bottom, Top, 1);
        string line = string.Join(' ', curve.Select(p => FormattableString.Invariant($"{x.At(p.FileBytes):0.#},{y.At(p.Divergence):0.#}")));
        return HtmlText.Of($"""
            <svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-label="expected divergence over file size">
            {HtmlText.Join(x.Ticks, t => HtmlText.Of($"<line class=\"grid\" x1=\"{x.At(t):0.#}\" x2=\"{x.At(t):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text x=\"{x.At(t):0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{TickBytes(t)}</text>"))}
            {HtmlText.Join(y.Ticks, t => HtmlText.Of($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y.At(t):0.#}\" y2=\"{y.At(t):0.#}\"/><text x=\"{Left - 6}\" y=\"{y.At(t) + 4:0.#}\" text-anchor=\"end\">{Tick(t)}</text>"))}
            <polyline class="curve" points="{line}"/>
            {HtmlText.Join(curve.Where(p => p.IsChosen), p => HtmlText.Of($"<circle class=\"chosen\" cx=\"{x.At(p.FileBytes):0.#}\" cy=\"{y.At(p.Divergence):0.#}\" r=\"5\"/>"))}
            <text class="axis" x="{Width - Right}" y="{Height - 3}" text-anchor="end">bytes of the file</text>
            <text class="axis" x="{Width - Right}" y="{Top + 12}" text-anchor="end">expected divergence</text>
            </svg>
            """);
    }

    private static string Tick(double value) => FormattableString.Invariant(value < 1e-4 ? (FormattableString)$"{value:0E+0}" : $"{value:0.#####}");

    private static string TickBytes(double bytes) => bytes < 1048576 ? FormattableString.Invariant($"{bytes / 1024:0.#} KB") : FormattableString.Invariant($"{bytes / 1048576:0.#} MB");
}
