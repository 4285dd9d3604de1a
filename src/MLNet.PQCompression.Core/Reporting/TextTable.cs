using System.Text;

namespace MLNet.PQCompression.Reporting;

/// <summary>Rows of text in columns as wide as their widest cell, for terminals and logs.</summary>
public sealed class TextTable
{
    private readonly List<string[]> _rows = [];
    private readonly string[] _header;

    /// <summary>Creates a table.</summary>
    /// <param name="columns">The headings; one that begins with "&gt;" aligns its column to the right.</param>
    public TextTable(params ReadOnlySpan<string> columns) => _header = columns.ToArray();

    /// <summary>Adds a row.</summary>
    /// <exception cref="ArgumentException">There are more or fewer cells than columns.</exception>
    public TextTable Add(params ReadOnlySpan<string> cells)
    {
        if (cells.Length != _header.Length)
            throw new ArgumentException($"A row of this table has {_header.Length} cells, not {cells.Length}.", nameof(cells));
        _rows.Add(cells.ToArray());
        return this;
    }

    /// <summary>The table, a line a row, each ended by a line feed.</summary>
    public override string ToString() => ToString(int.MaxValue);

    /// <summary>The table in so many columns of text: where it is wider, its last column of text is cut at the end, then its first in the middle.</summary>
    public string ToString(int width)
    {
        var text = new StringBuilder();
        string[] titles = [.. _header.Select(h => h.TrimStart('>'))];
        int[] widths = [.. titles.Select((t, i) => _rows.Select(r => r[i].Length).Append(t.Length).Max())];
        Narrow(widths, _header.Length - 1, width, least: Math.Max(8, titles[^1].Length));
        Narrow(widths, 0, width, least: Math.Max(12, titles[0].Length));
        Append(text, titles, widths);
        Append(text, [.. widths.Select(w => new string('-', w))], widths);
        foreach (string[] row in _rows)
            Append(text, row, widths);
        return text.ToString();
    }

    private void Append(StringBuilder text, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (int i = 0; i < cells.Length; i++)
        {
            string cell = Cut(cells[i], widths[i], inTheMiddle: i == 0);
            line.Append(i == 0 ? "" : "  ").Append(_header[i].StartsWith('>') ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
        }
        text.Append(line.ToString().TrimEnd()).Append('\n');
    }

    /// <summary>Takes from a column what the table has too much, down to a least width; numbers are not cut.</summary>
    private void Narrow(int[] widths, int column, int width, int least)
    {
        int excess = widths.Sum() + 2 * (widths.Length - 1) - width;
        if (excess > 0 && !_header[column].StartsWith('>'))
            widths[column] = Math.Min(widths[column], Math.Max(least, widths[column] - excess));
    }

    private static string Cut(string cell, int width, bool inTheMiddle)
    {
        if (cell.Length <= width)
            return cell;
        int tail = inTheMiddle ? (width - 1) * 2 / 3 : 0;
        return $"{cell[..(width - 1 - tail)]}…{cell[^tail..]}";
    }
}
