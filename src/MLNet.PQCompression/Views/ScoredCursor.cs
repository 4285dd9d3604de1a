using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Views;

/// <summary>The rows of an input cursor with their scores, one row at a time: for inputs whose values cannot be kept while the cursor moves on.</summary>
internal sealed class ScoredCursor(DataViewRowCursor input, RowMapper mapper, bool[] active) : DataViewRowCursor
{
    private readonly ScoredRow _row = new(input, mapper, active);

    /// <inheritdoc/>
    public override DataViewSchema Schema => _row.Schema;

    /// <inheritdoc/>
    public override long Position => input.Position;

    /// <inheritdoc/>
    public override long Batch => input.Batch;

    /// <inheritdoc/>
    public override bool MoveNext() => input.MoveNext();

    /// <inheritdoc/>
    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    /// <inheritdoc/>
    public override bool IsColumnActive(DataViewSchema.Column column) => _row.IsColumnActive(column);

    /// <inheritdoc/>
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => _row.GetGetter<TValue>(column);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _row.Dispose();
        base.Dispose(disposing);
    }
}
