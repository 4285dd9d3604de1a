using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Views;

/// <summary>A row of the input with its scores.</summary>
internal sealed class ScoredRow(DataViewRow input, RowMapper mapper, bool[] active) : DataViewRow
{
    private readonly Func<int, Delegate>? _getters = mapper.Adds(active) ? mapper.OpenGetters(input) : null;

    /// <inheritdoc/>
    public override DataViewSchema Schema => mapper.OutputSchema;

    /// <inheritdoc/>
    public override long Position => input.Position;

    /// <inheritdoc/>
    public override long Batch => input.Batch;

    /// <inheritdoc/>
    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    /// <inheritdoc/>
    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < active.Length && active[column.Index];

    /// <inheritdoc/>
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        OutputGetters.CheckActive(active, column);
        return column.Index < mapper.InputSchema.Count
            ? input.GetGetter<TValue>(input.Schema[column.Index])
            : OutputGetters.Cast<TValue>(_getters!(column.Index - mapper.InputSchema.Count), column);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }
}
