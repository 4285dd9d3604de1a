using System.Globalization;
using nietras.SeparatedValues;

namespace MLNet.PQCompression.Images;

/// <summary>A row of a list of files.</summary>
/// <param name="Number">The line it begins at, from 1.</param>
/// <param name="File">The file as written, with / between folders.</param>
/// <param name="Label">The label as written; null where there is none.</param>
internal sealed record CsvRow(int Number, string File, string? Label);

/// <summary>A list of files with labels, as comma-separated values (RFC 4180) with or without a header row.</summary>
internal sealed class CsvTable
{
    private const long MaxBytes = 256 << 20;
    private static readonly string[] FileColumns = ["file", "filename", "file_name", "path", "image", "image_path", "imagepath", "name"];
    private static readonly string[] LabelColumns = ["class_index", "label", "class", "class_name", "category", "target", "index"];

    /// <summary>A list from elsewhere.</summary>
    internal CsvTable(string path, IReadOnlyList<CsvRow> rows)
    {
        Path = path;
        Rows = rows;
    }

    /// <summary>The list's file.</summary>
    public string Path { get; }

    /// <summary>The rows in their order.</summary>
    public IReadOnlyList<CsvRow> Rows { get; }

    /// <summary>Reads a table. A first row with a known column name (file, path, image …) is a header; without one the first column is the file and the second the label.</summary>
    /// <exception cref="InvalidDataException">The file is too large, no list, or a row lacks its file.</exception>
    public static CsvTable Load(string path)
    {
        if (new FileInfo(path).Length > MaxBytes)
            throw new InvalidDataException($"'{path}' has more than {MaxBytes} bytes; a list of images is expected.");
        List<(int Line, string[] Cells)> records = Read(path);
        int fileColumn = 0, labelColumn = 1, first = 0;
        if (records.Count > 0 && Find(records[0].Cells, FileColumns) is >= 0 and var column)
        {
            fileColumn = column;
            labelColumn = Find(records[0].Cells, LabelColumns);
            first = 1;
        }
        var rows = new List<CsvRow>(records.Count);
        foreach ((int line, string[] cells) in records.Skip(first))
        {
            if (fileColumn >= cells.Length || cells[fileColumn].Length == 0)
                throw new InvalidDataException($"'{path}', row {line}: there is no file name.");
            string? label = labelColumn >= 0 && labelColumn < cells.Length && cells[labelColumn].Length > 0 ? cells[labelColumn] : null;
            rows.Add(new(line, cells[fileColumn].Replace('\\', '/'), label));
        }
        return new(path, rows);
    }

    private static int Find(string[] header, string[] names) =>
        names.Select(n => Array.FindIndex(header, cell => cell.Equals(n, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(i => i >= 0, -1);

    private static List<(int Line, string[] Cells)> Read(string path)
    {
        var records = new List<(int, string[])>();
        try
        {
            SepReaderOptions options = Sep.New(',').Reader(o => o with
            {
                HasHeader = false,
                Unescape = true,
                DisableColCountCheck = true,
                Trim = SepTrim.All,
                CultureInfo = CultureInfo.InvariantCulture,
            });
            using SepReader reader = options.FromText(File.ReadAllText(path));
            int line = 1;
            foreach (SepReader.Row row in reader)
            {
                var cells = new string[row.ColCount];
                for (int i = 0; i < cells.Length; i++)
                    cells[i] = row[i].ToString();
                // An odd number of quotes leaves the last value open: it swallows the rows behind it.
                if (row.Span.Count('"') % 2 == 1)
                    throw new InvalidDataException($"'{path}', row {line}: a quoted value is not closed.");
                if (cells.Any(c => c.Length > 0))
                    records.Add((line, cells));
                line += Math.Max(1, row.Span.Count('\n') + 1);
            }
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' is no list of comma-separated values: {e.Message}", e);
        }
        return records;
    }
}
