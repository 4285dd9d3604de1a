using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Terminal;
using nietras.SeparatedValues;

namespace MLNet.PQCompression.Cli.Sharding;

/// <summary>Writes merged lines as JSON lines, or as a table of comma-separated values: a row an image, or one for each class or output of it.</summary>
internal static class MergedFile
{
    /// <summary>What writes the lines in the form that a file's name asks for.</summary>
    /// <exception cref="UsageException">The name asks for no form that is known.</exception>
    public static Action<Stream> Writer(string path, IEnumerable<ShardLine> lines) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".jsonl" => stream => WriteLines(stream, lines),
        ".csv" => stream => WriteTable(stream, lines),
        _ => throw new UsageException($"--output '{path}': the name must end in .jsonl or .csv."),
    };

    private static void WriteLines(Stream stream, IEnumerable<ShardLine> lines)
    {
        using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
        foreach (ShardLine line in lines)
            writer.WriteLine(JsonSerializer.Serialize(line, ShardJson.Default.ShardLine));
    }

    private static void WriteTable(Stream stream, IEnumerable<ShardLine> lines)
    {
        using SepWriter writer = Sep.New(',').Writer(o => o with { Escape = true }).To(stream, leaveOpen: true);
        foreach ((string Column, IFormattable? Number, string? Text)[] cells in lines.SelectMany(Rows))
        {
            using SepWriter.Row row = writer.NewRow();
            foreach ((string column, IFormattable? number, string? text) in cells)
                row[column].Set(number?.ToString(null, CultureInfo.InvariantCulture) ?? text ?? "");
        }
    }

    private static IEnumerable<(string Column, IFormattable? Number, string? Text)[]> Rows(ShardLine line)
    {
        if (line.Score is { } s)
            yield return [("image", null, s.Image), ("label", s.Label, null), ("class", s.Class, null), ("rank", s.Rank, null), ("teacherClass", s.TeacherClass, null), ("teacherRank", s.TeacherRank, null), ("kl", s.Divergence, null)];
        foreach ((int rank, PredictedClass c) in (line.Prediction?.Classes ?? []).Index())
            yield return [("image", null, line.Prediction!.Image), ("rank", rank, null), ("class", c.Class, null), ("name", null, c.Name), ("probability", c.Probability, null)];
        foreach (PredictedOutput o in line.Outputs?.Outputs ?? [])
            yield return [("image", null, line.Outputs!.Image), ("output", null, o.Name), ("shape", null, string.Join('×', o.Shape)), ("first", null, o.Text ?? string.Join(' ', o.First.Select(v => v.ToString(CultureInfo.InvariantCulture))))];
    }
}
