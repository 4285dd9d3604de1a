using Microsoft.ML;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>Scores one row at a time, once for each position, when a score is asked for.</summary>
internal sealed class RowScorer(DataViewRow input, ImageColumn column, ModelScorer scorer)
{
    private readonly ImageReader _reader = column.OpenReader(input);
    private readonly float[] _image = new float[column.Input.Length];
    private readonly float[] _scores = new float[scorer.RowLength];
    private long _position = -1;

    /// <summary>The values of the current row.</summary>
    public ReadOnlySpan<float> Scores()
    {
        if (_position != input.Position || _position < 0)
        {
            _position = -1;
            _reader.Read(_image);
            scorer.Score(_image, 1, _scores);
            _position = input.Position;
        }
        return _scores;
    }
}
