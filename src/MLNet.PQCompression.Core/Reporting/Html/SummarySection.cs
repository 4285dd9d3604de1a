namespace MLNet.PQCompression.Reporting.Html;

/// <summary>The head of the page: how small, how near, how long.</summary>
internal static class SummarySection
{
    public static HtmlText Of(CompressionDocument document)
    {
        CompressionSummary summary = document.Summary;
        int quantized = summary.Layers.Count(l => l.Codewords is not null);
        return HtmlText.Of($"""
            <header>
            <p class="kicker">Compression report</p>
            <h1>{Path.GetFileName(summary.Output)}</h1>
            <p>{Path.GetFileName(document.Model)}, {quantized} of {summary.Layers.Count} layers quantized, from {summary.Images:N0} unlabelled images.</p>
            </header>
            <section class="tiles">
            {Tile(Bytes.Text(summary.FileBytes), "file", $"of {Bytes.Text(document.ModelBytes)}")}
            {Tile(FormattableString.Invariant($"{(double)summary.DenseBytes / summary.FileBytes:0.0}×"), "smaller", $"than {Bytes.Text(summary.DenseBytes)} of float32 parameters")}
            {Tile(FormattableString.Invariant($"{(double)summary.DenseBytes / summary.PaperBytes:0.0}×"), "as the paper counts", $"{Bytes.Text(summary.PaperBytes)}: log₂k bits a code, no names")}
            {HeldOut(summary.HeldOut)}
            </section>
            """);
    }

    private static HtmlText HeldOut(HeldOutReport? held) => held switch
    {
        null => Tile("not checked", "on held-out images", "too few images, or --held-out 0"),
        { Agreement: { } same } => HtmlText.Of($"{Tile(FormattableString.Invariant($"{(double)same / held.Images:0.0%}"), "same class as the teacher", $"{same} of {held.Images} held-out images")}{Tile(FormattableString.Invariant($"{held.Divergence:0.000}"), "KL divergence", "teacher ‖ student, nats")}"),
        { AveragePrecision: { } precision } => Tile(FormattableString.Invariant($"{precision:0.000}"), "average precision by the teacher", $"{held.Objects} detections of the teacher's on {held.Images} held-out images"),
        _ => Tile(FormattableString.Invariant($"{held.Cosine:0.000}"), "cosine to the teacher", $"mean over {held.Images} held-out images"),
    };

    private static HtmlText Tile(string value, string name, string detail) =>
        HtmlText.Of($"<div class=\"tile\"><b>{value}</b><span>{name}</span><small>{detail}</small></div>\n");
}
