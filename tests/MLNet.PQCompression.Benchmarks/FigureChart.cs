using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Draws measured figures, kept as JSON beside the docs, as horizontal bars in SVG.</summary>
internal static class FigureChart
{
    private const int Width = 760, Left = 300, Right = 90, RowHeight = 34, Top = 64, Bottom = 44;

    /// <summary>The figures of one chart.</summary>
    /// <param name="Title">What is compared.</param>
    /// <param name="Note">Model, data, machine and command.</param>
    /// <param name="Unit">Written behind each value.</param>
    /// <param name="Most">The value of a bar of full length.</param>
    /// <param name="Bars">The bars, top to bottom.</param>
    private sealed record Figure(string Title, string Note, string Unit, double Most, Bar[] Bars);

    /// <summary>One bar.</summary>
    /// <param name="Label">What was measured.</param>
    /// <param name="Value">The figure.</param>
    /// <param name="Own">Whether it is this project's.</param>
    private sealed record Bar(string Label, double Value, bool Own);

    /// <summary>Reads figures and writes their chart.</summary>
    public static int Run(string json, string svg)
    {
        Figure figure = JsonSerializer.Deserialize<Figure>(File.ReadAllText(json), JsonSerializerOptions.Web) ?? throw new InvalidDataException($"'{json}' holds no figures.");
        File.WriteAllText(svg, Draw(figure));
        Console.WriteLine(svg);
        return 0;
    }

    private static string Draw(Figure figure)
    {
        int height = Top + (figure.Bars.Length * RowHeight) + Bottom;
        string description = string.Join(", ", figure.Bars.Select(b => $"{b.Label}: {Number(b.Value)}{figure.Unit}"));
        var text = new StringBuilder();
        text.AppendLine($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"14\">");
        text.AppendLine($"  <title id=\"t\">{Escape(figure.Title)}</title>");
        text.AppendLine($"  <desc id=\"d\">{Escape(description)}</desc>");
        text.AppendLine($"  <rect width=\"{Width}\" height=\"{height}\" rx=\"10\" fill=\"#ffffff\"/>");
        text.AppendLine($"  <text x=\"24\" y=\"36\" font-weight=\"600\" font-size=\"16\" fill=\"#1f2937\">{Escape(figure.Title)}</text>");
        for (int i = 0; i < figure.Bars.Length; i++)
        {
            Bar bar = figure.Bars[i];
            int y = Top + (i * RowHeight);
            double length = (Width - Left - Right) * bar.Value / figure.Most;
            text.AppendLine($"  <text x=\"{Left - 12}\" y=\"{y + 17}\" text-anchor=\"end\" fill=\"#1f2937\">{Escape(bar.Label)}</text>");
            text.AppendLine($"  <rect x=\"{Left}\" y=\"{y}\" width=\"{Number(length)}\" height=\"{RowHeight - 10}\" rx=\"3\" fill=\"{(bar.Own ? "#2f6fb2" : "#b8c2cf")}\"/>");
            text.AppendLine($"  <text x=\"{Number(Left + length + 8)}\" y=\"{y + 17}\" fill=\"#1f2937\" font-weight=\"{(bar.Own ? 600 : 400)}\">{Number(bar.Value)}{Escape(figure.Unit)}</text>");
        }
        text.AppendLine($"  <text x=\"24\" y=\"{height - 18}\" fill=\"#4b5563\" font-size=\"12\">{Escape(figure.Note)}</text>");
        text.AppendLine("</svg>");
        return text.ToString();
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
