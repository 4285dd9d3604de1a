using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;

namespace MLNet.PQCompression.Views;

/// <summary>What adds columns to rows by looking at their image, bound to a schema.</summary>
/// <param name="input">The schema of the rows.</param>
/// <param name="output">The same with the columns that are added behind.</param>
/// <param name="image">The image column.</param>
internal abstract class RowMapper(DataViewSchema input, DataViewSchema output, ImageColumn image) : IRowToRowMapper
{
    /// <inheritdoc/>
    public DataViewSchema InputSchema => input;

    /// <inheritdoc/>
    public DataViewSchema OutputSchema => output;

    /// <summary>The image column.</summary>
    protected ImageColumn Image => image;

    /// <summary>Opens the columns that are added to a row: gives the getter of each by its index among these.</summary>
    public abstract Func<int, Delegate> OpenGetters(DataViewRow input);

    /// <summary>A cursor over the rows of an input cursor, which it owns.</summary>
    public virtual DataViewRowCursor OpenCursor(DataViewRowCursor input, bool[] active) => new ScoredCursor(input, this, active);

    /// <inheritdoc/>
    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] active = Active(dependingColumns);
        bool adds = Adds(active);
        return InputSchema.Where(c => active[c.Index] || (adds && c.Index == Image.Column.Index));
    }

    /// <inheritdoc/>
    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
            throw new ArgumentException("The row's schema is not the one this mapper was made for.", nameof(input));
        return new ScoredRow(input, this, Active(activeColumns));
    }

    /// <summary>Which output columns are asked for, by index.</summary>
    /// <exception cref="ArgumentException">A column is not of the output schema.</exception>
    public bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var active = new bool[OutputSchema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            if (column.Index >= active.Length || OutputSchema[column.Index].Name != column.Name)
                throw new ArgumentException($"Column '{column.Name}' is not of this schema.", nameof(columns));
            active[column.Index] = true;
        }
        return active;
    }

    /// <summary>Whether a column that is added is asked for.</summary>
    public bool Adds(bool[] active) => active.AsSpan(InputSchema.Count).Contains(true);
}
