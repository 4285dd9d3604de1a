namespace MLNet.PQCompression;

/// <summary>A row whose image cannot be scored or learnt from.</summary>
public sealed class ImageRowException : InvalidOperationException
{
    internal ImageRowException(string columnName, long row, string message, Exception? innerException = null)
        : base($"Column '{columnName}', row {row}: {message}", innerException)
    {
        ColumnName = columnName;
        Row = row;
    }

    /// <summary>The image column.</summary>
    public string ColumnName { get; }

    /// <summary>The row, counted from 0 in the order in which it was read.</summary>
    public long Row { get; }
}
