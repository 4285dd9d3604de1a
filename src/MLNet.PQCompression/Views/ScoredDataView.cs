using Microsoft.ML;

namespace MLNet.PQCompression.Views;

/// <summary>A view with scores; nothing is computed until a cursor asks for them.</summary>
internal sealed class ScoredDataView(IDataView source, RowMapper mapper) : IDataView
{
    /// <inheritdoc/>
    public bool CanShuffle => source.CanShuffle;

    /// <inheritdoc/>
    public DataViewSchema Schema => mapper.OutputSchema;

    /// <inheritdoc/>
    public long? GetRowCount() => source.GetRowCount();

    /// <inheritdoc/>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = mapper.Active(columnsNeeded);
        return mapper.OpenCursor(source.GetRowCursor(Dependencies(active), rand), active);
    }

    /// <inheritdoc/>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = mapper.Active(columnsNeeded);
        return Array.ConvertAll(source.GetRowCursorSet(Dependencies(active), n, rand), input => mapper.OpenCursor(input, active));
    }

    private IEnumerable<DataViewSchema.Column> Dependencies(bool[] active) => mapper.GetDependencies(Schema.Where(c => active[c.Index]));
}
