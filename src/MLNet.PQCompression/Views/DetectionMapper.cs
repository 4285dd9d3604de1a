using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>Detection bound to a schema. Rows are looked at one at a time, once for each position, when a list is asked for.</summary>
internal sealed class DetectionMapper(DataViewSchema input, string imageColumn, ImageInput imageInput, DetectionColumns columns, DetectionScorer scorer)
    : RowMapper(input, columns.AddTo(input, scorer.Model.Names), ImageColumn.Bind(input, imageColumn, imageInput))
{
    /// <inheritdoc/>
    public override Func<int, Delegate> OpenGetters(DataViewRow input)
    {
        ImageReader reader = Image.OpenReader(input);
        var image = new float[Image.Input.Length];
        (long position, IReadOnlyList<Detection> found) = (-1, []);
        return column => column switch
        {
            0 => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => value = DetectionVectors.Boxes(Current())),
            1 => (ValueGetter<VBuffer<uint>>)((ref VBuffer<uint> value) => value = DetectionVectors.Keys(Current(), scorer.Model)),
            2 => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => value = DetectionVectors.Scores(Current())),
            _ => (ValueGetter<VBuffer<byte>>)((ref VBuffer<byte> value) => value = DetectionVectors.Masks(Current())),
        };

        IReadOnlyList<Detection> Current()
        {
            if (position != input.Position || position < 0)
            {
                position = -1;
                found = scorer.Detect(image, reader.Read(image));
                position = input.Position;
            }
            return found;
        }
    }
}
