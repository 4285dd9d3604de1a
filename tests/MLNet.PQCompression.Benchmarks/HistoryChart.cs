using System.Globalization;
using System.Net;
using System.Text;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Draws the ratios of a <see cref="BenchmarkHistory"/> as lines in SVG, one for each model and width of vectors.</summary>
internal static class HistoryChart
{
    private const int Width = 760, Height = 380, Left = 60, Right = 260, Top = 64, Bottom = 70;

    private static readonly string[] Colours = ["#2f6fb2", "#c2571a", "#2b8a5b", "#7a4fb5", "#8a6d1f", "#b23a6f"];

    public static string Draw(IReadOnlyList<BenchmarkHistory.Entry> entries)
    {
        string[] models = [.. entries.SelectMany(e => e.Ratios.Keys).Distinct().Order(StringComparer.Ordinal)];
        double most = Math.Ceiling(5 * Math.Max(1, entries.SelectMany(e => e.Ratios.Values).DefaultIfEmpty(1).Max())) / 5;
        double X(int i) => Left + (Width - Left - Right) * (entries.Count == 1 ? 0.5 : (double)i / (entries.Count - 1));
        double Y(double ratio) => Height - Bottom - (Height - Top - Bottom) * ratio / most;
        var text = new StringBuilder();
        text.AppendLine($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"12\">");
        text.AppendLine("  <title id=\"t\">Time for one image over ONNX Runtime's, one thread</title>");
        text.AppendLine($"  <desc id=\"d\">{Escape(string.Join("; ", entries.Select(e => $"{e.Date} {e.Vectors} bits: {string.Join(", ", e.Ratios.Select(r => $"{r.Key} {Number(r.Value)}"))}")))}</desc>");
        text.AppendLine($"  <rect width=\"{Width}\" height=\"{Height}\" rx=\"10\" fill=\"#ffffff\"/>");
        text.AppendLine("  <text x=\"24\" y=\"34\" font-weight=\"600\" font-size=\"16\" fill=\"#1f2937\">Time for one image over ONNX Runtime's, one thread (below 1 is faster)</text>");
        for (double ratio = 0; ratio <= most + 1e-9; ratio += 0.2)
        {
            bool isEven = Math.Abs(ratio - 1) < 1e-9;
            text.AppendLine($"  <line x1=\"{Left}\" x2=\"{Width - Right + 8}\" y1=\"{Number(Y(ratio))}\" y2=\"{Number(Y(ratio))}\" stroke=\"{(isEven ? "#6b7280" : "#e5e7eb")}\"/>");
            text.AppendLine($"  <text x=\"{Left - 8}\" y=\"{Number(Y(ratio) + 4)}\" text-anchor=\"end\" fill=\"#4b5563\">{ratio.ToString("0.0", CultureInfo.InvariantCulture)}</text>");
        }
        for (int i = 0; i < entries.Count; i++)
            text.AppendLine($"  <text x=\"{Number(X(i))}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\" fill=\"#4b5563\" font-size=\"10\"><tspan>{Escape(entries[i].Commit)}</tspan><tspan x=\"{Number(X(i))}\" dy=\"13\">{Escape(entries[i].Date[5..])}</tspan></text>");
        var ends = new List<double>();
        var lines = models.SelectMany((model, m) => Enumerable.Range(0, entries.Count).Where(i => entries[i].Ratios.ContainsKey(model)).GroupBy(i => entries[i].Vectors)
            .Select(line => (Model: model, Colour: Colours[m % Colours.Length], Vectors: line.Key, At: line.ToArray())));
        foreach (var line in lines.OrderByDescending(l => entries[l.At[^1]].Ratios[l.Model]))
            Line(line.Model, line.Colour, line.Vectors, line.At);
        text.AppendLine($"  <text x=\"24\" y=\"{Height - 14}\" fill=\"#4b5563\">Whole lines: vectors of 512 bits. Dashed: of 256 bits. Machines differ between records; the ratio is within one run.</text>");
        text.AppendLine("</svg>");
        return text.ToString();

        void Line(string model, string colour, int vectors, int[] at)
        {
            string points = string.Join(' ', at.Select(i => $"{Number(X(i))},{Number(Y(entries[i].Ratios[model]))}"));
            text.AppendLine($"  <polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{(vectors < 512 ? " stroke-dasharray=\"5 4\"" : "")}/>");
            foreach (int i in at)
                text.AppendLine($"  <circle cx=\"{Number(X(i))}\" cy=\"{Number(Y(entries[i].Ratios[model]))}\" r=\"3.5\" fill=\"{(vectors < 512 ? "#ffffff" : colour)}\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            // Labels stand at the ends of their lines and give way to each other.
            double y = Y(entries[at[^1]].Ratios[model]);
            while (ends.FirstOrDefault(e => Math.Abs(e - y) < 14) is > 0 and var taken)
                y = taken + 14;
            ends.Add(y);
            text.AppendLine($"  <text x=\"{Width - Right + 16}\" y=\"{Number(y + 4)}\" fill=\"{colour}\" font-weight=\"600\">{Escape(model)}, {vectors} bits: {Number(entries[at[^1]].Ratios[model])}</text>");
        }
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
