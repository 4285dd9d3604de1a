using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>Scores one row at a time, once for each position, when a score is asked for.</summary>
internal sealed class RowScorer(DataViewRow input, ImageColumn column, ModelScorer scorer)
{
    private readonly ImageReader _reader = column.OpenReader(input);
    private readonly float[] _image = new float[column.Input.Length];
    private readonly float[] _scores = new float[scorer.ScoreCount];
    private long _position = -1;

    /// <summary>Copies the scores of the current row.</summary>
    public void GetScores(ref VBuffer<float> value) => Scores().CopyTo(ref value);

    /// <summary>The predicted key of the current row.</summary>
    public void GetLabel(ref uint value) => value = Prediction.KeyOf(Scores());

    private ReadOnlySpan<float> Scores()
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
