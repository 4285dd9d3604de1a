using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>The constant that every row looks the detector up by.</summary>
internal sealed class DetectorKey
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectorKey";

    /// <summary>Always 0.</summary>
    [ColumnName(InnerColumns.Key)]
    public int Key { get; set; }
}

/// <summary>Makes the constant.</summary>
[CustomMappingFactoryAttribute(DetectorKey.Contract)]
internal sealed class DetectorKeyFactory : CustomMappingFactory<NoColumns, DetectorKey>
{
    /// <inheritdoc/>
    public override Action<NoColumns, DetectorKey> GetMapping() => static (_, key) => key.Key = 0;
}

/// <summary>The objects of a row of a loaded chain.</summary>
internal sealed class SavedDetections
{
    /// <summary>The inner names.</summary>
    public const string BoxesName = "__pq.boxes", NamesName = "__pq.names", ScoresName = "__pq.objectScores", MasksName = "__pq.masks";

    [ColumnName(BoxesName)]
    public VBuffer<float> Boxes { get; set; }

    [ColumnName(NamesName)]
    public VBuffer<ReadOnlyMemory<char>> Names { get; set; }

    [ColumnName(ScoresName)]
    public VBuffer<float> Scores { get; set; }

    [ColumnName(MasksName)]
    public VBuffer<byte> Masks { get; set; }
}

/// <summary>Finds the objects in the rows of a loaded chain. One object serves all cursors and engines of the chain, so that they share the network.</summary>
internal sealed class SavedDetection<TInput> where TInput : SavedInput
{
    private readonly RowModel<Decoded> _models = new(static text =>
    {
        DetectionPayload payload = DetectionPayload.Parse(text);
        return new(payload, new(payload.Model, ModelPayload.Inference));
    });

    /// <summary>Looks at a row.</summary>
    public void Detect(TInput row, SavedDetections result)
    {
        (DetectionPayload payload, DetectionScorer scorer) = _models.Of(row.Model);
        var image = new float[payload.Input.Length];
        PicturePlacement placement = row.Convert(payload.Input, payload.InputName, image);
        IReadOnlyList<Detection> found = scorer.Detect(image, placement);
        result.Boxes = DetectionVectors.Boxes(found);
        result.Names = DetectionVectors.Names(found, payload.Model);
        result.Scores = DetectionVectors.Scores(found);
        if (payload.Columns.Masks is not null)
            result.Masks = DetectionVectors.Masks(found);
    }

    private sealed record Decoded(DetectionPayload Payload, DetectionScorer Scorer);
}
