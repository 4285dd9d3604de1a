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
    public override string ToString()
    {
        var text = new StringBuilder();
        string[] titles = [.. _header.Select(h => h.TrimStart('>'))];
        int[] widths = [.. titles.Select((t, i) => _rows.Select(r => r[i].Length).Append(t.Length).Max())];
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
            line.Append(i == 0 ? "" : "  ").Append(_header[i].StartsWith('>') ? cells[i].PadLeft(widths[i]) : cells[i].PadRight(widths[i]));
        text.Append(line.ToString().TrimEnd()).Append('\n');
    }
}
