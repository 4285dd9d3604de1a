using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>Scoring bound to a schema: which columns there are behind it and which input columns they need.</summary>
internal sealed class ScoringMapper : IRowToRowMapper
{
    private readonly ImageColumn _column;
    private readonly ModelScorer _scorer;

    public ScoringMapper(DataViewSchema input, string imageColumn, ImageInput imageInput, OutputColumns outputs, ModelScorer scorer)
    {
        _column = ImageColumn.Bind(input, imageColumn, imageInput);
        _scorer = scorer;
        InputSchema = input;
        OutputSchema = outputs.AddTo(input, scorer.Model);
    }

    /// <inheritdoc/>
    public DataViewSchema InputSchema { get; }

    /// <inheritdoc/>
    public DataViewSchema OutputSchema { get; }

    /// <summary>A getter of a column that scoring adds.</summary>
    /// <param name="index">The column's index in the output.</param>
    /// <param name="row">Gives the values of the current row.</param>
    public Delegate OpenGetter(int index, RowSource row)
    {
        (int i, ScoredOutputs outputs) = (index - InputSchema.Count, _scorer.Model.Outputs);
        if (i == outputs.Lengths.Length)
            return (ValueGetter<uint>)((ref uint value) => value = Prediction.KeyOf(row()));
        (int start, int length) = (outputs.Lengths.Take(i).Sum(), outputs.Lengths[i]);
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => row().Slice(start, length).CopyTo(ref value));
    }

    /// <inheritdoc/>
    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] active = Active(dependingColumns);
        bool scores = NeedsScores(active);
        return InputSchema.Where(c => active[c.Index] || (scores && c.Index == _column.Column.Index));
    }

    /// <inheritdoc/>
    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
            throw new ArgumentException("The row's schema is not the one this mapper was made for.", nameof(input));
        return new ScoredRow(input, this, Active(activeColumns));
    }

    /// <summary>Scoring of the rows of an input; null where no score is asked for.</summary>
    public RowScorer? OpenScorer(DataViewRow input, bool[] active) => NeedsScores(active) ? new(input, _column, _scorer) : null;

    /// <summary>A cursor over the rows of an input cursor, which it owns.</summary>
    public DataViewRowCursor OpenCursor(DataViewRowCursor input, bool[] active) =>
        NeedsScores(active) && ColumnBuffer.TryOpen(input, active) is { } buffers
            ? new BatchedCursor(input, this, active, buffers, _column, _scorer)
            : new ScoredCursor(input, this, active);

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

    private bool NeedsScores(bool[] active) => active.AsSpan(InputSchema.Count).Contains(true);
}

/// <summary>Gives the values of a row: its scores, its features, or its outputs one behind the other.</summary>
internal delegate ReadOnlySpan<float> RowSource();
