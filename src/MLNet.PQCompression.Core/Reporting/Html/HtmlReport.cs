using System.Reflection;
using System.Text.Json;

namespace MLNet.PQCompression.Reporting.Html;

/// <summary>A compression as one self-contained page: no script, no outside file, light and dark, for screens of any width and for paper.</summary>
/// <remarks>Charts are SVG drawn here: the charting libraries for .NET draw fixed colours and sizes, so that a page of theirs does not follow a reader's theme or width, and take ten times the bytes.</remarks>
public static class HtmlReport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The page.</summary>
    /// <param name="document">What is known of the compression.</param>
    /// <param name="pictures">Pictures of images by name, as data: URIs; an image without one is shown by its name alone.</param>
    public static string Create(CompressionDocument document, IReadOnlyDictionary<string, string>? pictures = null)
    {
        ArgumentNullException.ThrowIfNull(document);
        string title = Path.GetFileName(document.Summary.Output);
        return HtmlText.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>{title}: compression report</title>
            <style>
            {Style()}
            </style>
            </head>
            <body>
            <main>
            {SummarySection.Of(document)}
            {HeldOutSection.Of(document, pictures ?? new Dictionary<string, string>())}
            {CurveSection.Of(document)}
            {LayersSection.Of(document)}
            {ImagesSection(document)}
            {Configuration(document)}
            </main>
            </body>
            </html>

            """).ToString();
    }

    private static HtmlText ImagesSection(CompressionDocument document) => HtmlText.Of($"""
        <section>
        <h2>Images</h2>
        <dl class="facts">
        <dt>Source</dt><dd>{document.Images.Source}</dd>
        <dt>Images</dt><dd>{document.Images.Found:N0} found, {document.Images.Used:N0} used for statistics, {document.Images.HeldOut:N0} held out, {document.Summary.Skipped.Count:N0} left out</dd>
        <dt>Preprocessing</dt><dd><code>{document.Images.Preprocessing}</code></dd>
        <dt>Known from</dt><dd>{document.Images.PreprocessingFrom}</dd>
        </dl>
        {HtmlText.Join(document.Summary.Skipped.Take(20), s => HtmlText.Of($"<p class=\"note\">Left out: {s.Name}: {s.Reason}</p>"))}
        </section>
        """);

    private static HtmlText Configuration(CompressionDocument document) => HtmlText.Of($"""
        <section>
        <h2>Made by</h2>
        <dl class="facts">
        <dt>Version</dt><dd>{document.MadeBy.Version}{(document.MadeBy.Commit is { } commit ? $", commit {commit}" : "")}</dd>
        <dt>Model</dt><dd>{document.Model}, SHA-256 <code>{document.MadeBy.TeacherSha256 ?? "unknown"}</code></dd>
        <dt>Machine</dt><dd>{document.MadeBy.System}, {document.MadeBy.Processors} processors, {document.MadeBy.VectorBits}-bit vectors, {document.MadeBy.Runtime}</dd>
        <dt>Time</dt><dd>{Duration(document.Summary.Seconds)}</dd>
        </dl>
        <details><summary>Settings in effect</summary><pre>{document.Configuration.ToJsonString(Indented)}</pre></details>
        </section>
        """);

    private static string Duration(double seconds) => seconds < 60
        ? FormattableString.Invariant($"{seconds:0.0} s")
        : TimeSpan.FromSeconds(seconds).ToString(seconds < 3600 ? @"m\:ss' min'" : @"h\:mm\:ss' h'", System.Globalization.CultureInfo.InvariantCulture);

    private static HtmlText Style()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        var handler = new HtmlText.Markup(0, 0);
        handler.AppendLiteral(reader.ReadToEnd());
        return handler.Target;
    }
}
