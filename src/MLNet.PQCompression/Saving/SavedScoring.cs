using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>Scores the rows of a loaded chain. One object serves all cursors and engines of the chain, so that they share the network.</summary>
internal sealed class SavedScoring<TInput> where TInput : SavedInput
{
    private readonly RowModel<Decoded> _models = new(static text =>
    {
        ModelPayload payload = ModelPayload.Parse(text);
        return new(payload, new(payload.Model, ModelPayload.Inference));
    });

    /// <summary>Scores a row.</summary>
    public void Score(TInput row, SavedScores result)
    {
        (ModelPayload payload, ModelScorer scorer) = _models.Of(row.Model);
        Span<float> image = result.ImageBuffer(payload.Input.Length), scores = result.ScoreBuffer(scorer.RowLength);
        row.Convert(payload.Input, payload.InputName, image);
        scorer.Score(image, 1, scores);
        result.Set(scores);
        uint key = scorer.Model.Task == ImageTask.Classifier ? Prediction.KeyOf(scores) : 0;
        result.Class = key == 0 ? default : scorer.Model.ClassNames[(int)key - 1].AsMemory();
    }

    private sealed record Decoded(ModelPayload Payload, ModelScorer Scorer);
}
