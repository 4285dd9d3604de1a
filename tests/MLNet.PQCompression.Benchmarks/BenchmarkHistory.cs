using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Ratios to ONNX Runtime over the commits: a JSON file that grows by a record with each measurement, and its chart.</summary>
internal static class BenchmarkHistory
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One measurement of several models on one machine.</summary>
    /// <param name="Date">Year, month and day.</param>
    /// <param name="Commit">What was measured.</param>
    /// <param name="Processor">Where, with the width of its vectors in bits.</param>
    /// <param name="Vectors">That width: ratios are compared within one.</param>
    /// <param name="Clock">Whether "wall" or "processor" time was taken.</param>
    /// <param name="Ratios">Our time over ONNX Runtime's, one image, one thread, by model.</param>
    internal sealed record Entry(string Date, string Commit, string Processor, int Vectors, string Clock, SortedDictionary<string, double> Ratios);

    /// <summary>Measures models, if any are given, adds them to the record, and draws it.</summary>
    /// <param name="record">The JSON file; made where there is none.</param>
    /// <param name="svg">The chart to write.</param>
    /// <param name="seconds">Seconds a model is measured for.</param>
    /// <param name="models">Pairs of a name and a file: "ResNet-18=resnet18.pq.onnx".</param>
    public static int Run(string record, string svg, double seconds, string[] models)
    {
        List<Entry> entries = File.Exists(record) ? JsonSerializer.Deserialize<List<Entry>>(File.ReadAllText(record), Json)! : [];
        if (models.Length > 0)
        {
            var ratios = new SortedDictionary<string, double>(StringComparer.Ordinal);
            foreach (string[] model in models.Select(m => m.Split('=', 2)))
                ratios[model[0]] = Math.Round(RuntimeRatio.Measure(model[^1], seconds).Ratio, 2);
            entries.Add(new(DateTime.UtcNow.ToString("yyyy-MM-dd"), Commit(), Processor(), Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128, "processor", ratios));
            File.WriteAllText(record, JsonSerializer.Serialize(entries, Json) + "\n");
        }
        File.WriteAllText(svg, HistoryChart.Draw(entries));
        Console.WriteLine(svg);
        return 0;
    }

    private static string Commit()
    {
        using Process git = Process.Start(new ProcessStartInfo("git", "rev-parse --short HEAD") { RedirectStandardOutput = true })!;
        string commit = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return git.ExitCode == 0 ? commit : throw new InvalidOperationException("A record names the commit it was measured at; run this in a clone of the repository.");
    }

    private static string Processor()
    {
        const string file = "/proc/cpuinfo", key = "model name";
        return File.Exists(file) && File.ReadLines(file).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal)) is { } line ? line[(line.IndexOf(':') + 1)..].Trim() : "unknown";
    }
}
