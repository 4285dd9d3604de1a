namespace MLNet.PQCompression.Columns;

/// <summary>The input of a custom mapping that reads no column.</summary>
internal sealed class NoColumns;
