using System.Globalization;

namespace MLNet.PQCompression.Reporting;

/// <summary>Layers as a table, for terminals and logs.</summary>
public static class LayerTable
{
    /// <summary>A line a layer: weight, shape, d, k, bytes, error where there is one, and the reason.</summary>
    public static TextTable Create(IReadOnlyList<LayerSummary> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        bool done = layers.Any(l => l.RelativeError is not null);
        string[] columns = ["layer", "shape", ">d", ">k", ">bytes", ">of", .. (ReadOnlySpan<string>)(done ? [">error", ">s"] : []), "why"];
        var table = new TextTable(columns);
        foreach (LayerSummary layer in layers)
        {
            string[] outcome = done ? [Number(layer.RelativeError, "0.0000"), Number(layer.Seconds, "0.0")] : [];
            table.Add([
                layer.Weight, string.Join('×', layer.Shape), $"{layer.BlockSize}", $"{layer.Codewords}",
                Bytes(layer.PaperBytes), Bytes(layer.DenseBytes), .. outcome, layer.Reason,
            ]);
        }
        return table;
    }

    private static string Bytes(long bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture);

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
