using System.Globalization;
using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>What compress says on a terminal.</summary>
internal static class CompressionText
{
    /// <summary>Layers, sizes and the held-out check.</summary>
    /// <param name="summary">What was done.</param>
    /// <param name="kept">What the budget led to, or null where there was none.</param>
    public static string Of(CompressionSummary summary, BudgetResult? kept)
    {
        string skipped = summary.Skipped.Count > 0 ? $", {summary.Skipped.Count} left out" : "";
        return string.Create(CultureInfo.InvariantCulture, $"""
            {LayerTable.Create(summary.Layers).ToString(ToolConsole.Width)}
            {summary.PaperBytes:N0} bytes of {summary.DenseBytes:N0}, {(double)summary.DenseBytes / summary.PaperBytes:0.0} times smaller (as the paper counts)
            {summary.Output}: {summary.FileBytes:N0} bytes ({(double)summary.DenseBytes / summary.FileBytes:0.0} times smaller), from {summary.Images} images{skipped}, in {summary.Seconds:0.0} s ({summary.Backend})
            {(kept is null ? "" : Budget(kept))}{HeldOut(summary.HeldOut)}{(summary.Outputs.Count == 0 ? "" : $"on images held out:\n{EvaluateCommand.Describe(summary.Outputs)}")}

            """);
    }

    private static string Budget(BudgetResult kept) => string.Create(CultureInfo.InvariantCulture,
        $"Plan: expected {(kept.Analysis.IsOfClasses ? "KL" : "1 - cosine")} {kept.Plan.Divergence:0.####}, the costs of single layers added; the analysis took {kept.Analysis.Seconds:0.0} s\n");

    private static string HeldOut(HeldOutReport? held) => held switch
    {
        null => "Not checked on held-out images: there are fewer than 128, or --held-out 0. Check with: mlnet-pq evaluate OUT.onnx --images OTHERS --teacher MODEL",
        { Agreement: not null } => string.Create(CultureInfo.InvariantCulture, $"Held-out check: KL(teacher || student) {held.Divergence:0.####} nats. {held.Meaning}"),
        { Kind: OutputKind.Detections } => string.Create(CultureInfo.InvariantCulture, $"Held-out check: {(held.Cosine is { } cosine ? $"cosine {cosine:0.####} " : "")}on {held.Images} images. {held.Meaning}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"Held-out check: cosine {held.Cosine:0.####} on {held.Images} images. {held.Meaning}"),
    };
}
