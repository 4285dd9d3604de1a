using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>Scoring bound to a schema: which columns there are behind it and which input columns they need.</summary>
internal sealed class ScoringMapper : RowMapper
{
    private readonly ModelScorer _scorer;

    public ScoringMapper(DataViewSchema input, string imageColumn, ImageInput imageInput, OutputColumns outputs, ModelScorer scorer)
        : base(input, outputs.AddTo(input, scorer.Model), ImageColumn.Bind(input, imageColumn, imageInput)) => _scorer = scorer;

    /// <summary>A getter of a column that scoring adds.</summary>
    /// <param name="column">The column's index among those.</param>
    /// <param name="row">Gives the values of the current row.</param>
    public Delegate OpenGetter(int column, RowSource row)
    {
        ScoredOutputs outputs = _scorer.Model.Outputs;
        if (column == outputs.Lengths.Length)
            return (ValueGetter<uint>)((ref uint value) => value = Prediction.KeyOf(row()));
        (int start, int length) = (outputs.Lengths.Take(column).Sum(), outputs.Lengths[column]);
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => row().Slice(start, length).CopyTo(ref value));
    }

    /// <inheritdoc/>
    public override Func<int, Delegate> OpenGetters(DataViewRow input)
    {
        var scorer = new RowScorer(input, Image, _scorer);
        return column => OpenGetter(column, scorer.Scores);
    }

    /// <inheritdoc/>
    public override DataViewRowCursor OpenCursor(DataViewRowCursor input, bool[] active) =>
        Adds(active) && ColumnBuffer.TryOpen(input, active) is { } buffers
            ? new BatchedCursor(input, this, active, buffers, Image, _scorer)
            : base.OpenCursor(input, active);
}

/// <summary>Gives the values of a row: its scores, its features, or its outputs one behind the other.</summary>
internal delegate ReadOnlySpan<float> RowSource();
