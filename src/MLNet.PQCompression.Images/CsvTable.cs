using System.Text;

namespace MLNet.PQCompression.Images;

/// <summary>A list of files with labels, as comma-separated values (RFC 4180) with or without a header row.</summary>
internal sealed class CsvTable
{
    private const long MaxBytes = 256 << 20;
    private static readonly string[] FileColumns = ["file", "filename", "file_name", "path", "image", "image_path", "imagepath", "name"];
    private static readonly string[] LabelColumns = ["class_index", "label", "class", "class_name", "category", "target", "index"];

    private CsvTable(IReadOnlyList<(string File, string? Label)> rows) => Rows = rows;

    /// <summary>Each file with its label as written; null where there is none.</summary>
    public IReadOnlyList<(string File, string? Label)> Rows { get; }

    /// <summary>Reads a table. A first row with a known column name (file, path, image …) is a header; without one the first column is the file and the second the label.</summary>
    /// <exception cref="InvalidDataException">The file is too large, or a row lacks its file.</exception>
    public static CsvTable Load(string path)
    {
        if (new FileInfo(path).Length > MaxBytes)
            throw new InvalidDataException($"'{path}' has more than {MaxBytes} bytes; a list of images is expected.");
        List<string[]> records = Parse(File.ReadAllText(path), path);
        int fileColumn = 0, labelColumn = 1, first = 0;
        if (records.Count > 0 && Find(records[0], FileColumns) is >= 0 and var column)
        {
            fileColumn = column;
            labelColumn = Find(records[0], LabelColumns);
            first = 1;
        }
        var rows = new List<(string, string?)>(records.Count);
        for (int i = first; i < records.Count; i++)
        {
            string[] record = records[i];
            if (fileColumn >= record.Length || record[fileColumn].Length == 0)
                throw new InvalidDataException($"'{path}', row {i + 1}: there is no file name.");
            string? label = labelColumn >= 0 && labelColumn < record.Length && record[labelColumn].Length > 0 ? record[labelColumn] : null;
            rows.Add((record[fileColumn].Replace('\\', '/'), label));
        }
        return new(rows);
    }

    private static int Find(string[] header, string[] names) =>
        names.Select(n => Array.FindIndex(header, cell => cell.Equals(n, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(i => i >= 0, -1);

    private static List<string[]> Parse(string text, string path)
    {
        var records = new List<string[]>();
        var record = new List<string>();
        var cell = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quoted)
            {
                if (c != '"')
                    cell.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"')
                    cell.Append(text[++i]);
                else
                    quoted = false;
            }
            else if (c == '"')
                quoted = true;
            else if (c == ',')
                EndCell();
            else if (c == '\n')
                EndRecord();
            else if (c is not ('\r' or '\uFEFF'))
                cell.Append(c);
        }
        if (quoted)
            throw new InvalidDataException($"'{path}': a quoted value is not closed.");
        EndRecord();
        return records;

        void EndCell()
        {
            record.Add(cell.ToString().Trim());
            cell.Clear();
        }

        void EndRecord()
        {
            EndCell();
            if (record.Count > 1 || record[0].Length > 0)
                records.Add([.. record]);
            record.Clear();
        }
    }
}
