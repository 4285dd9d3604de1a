using System.Runtime.InteropServices;
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
    private readonly Lock _gate = new();
    private volatile Decoded? _decoded;

    /// <summary>Looks at a row.</summary>
    public void Detect(TInput row, SavedDetections result)
    {
        Decoded decoded = Decode(row.Model);
        var image = new float[decoded.Payload.Input.Length];
        PicturePlacement placement;
        try
        {
            placement = row.Convert(decoded.Payload.Input, image);
        }
        catch (Exception e) when (ImageReader.IsBadImage(e))
        {
            throw new InvalidDataException($"Column '{decoded.Payload.InputName}': {e.Message}", e);
        }
        IReadOnlyList<Detection> found = decoded.Scorer.Detect(image, placement);
        result.Boxes = DetectionVectors.Boxes(found);
        result.Names = DetectionVectors.Names(found, decoded.Payload.Model);
        result.Scores = DetectionVectors.Scores(found);
        if (decoded.Payload.Columns.Masks is not null)
            result.Masks = DetectionVectors.Masks(found);
    }

    /// <summary>The look-up hands the same string to every row, so comparing references is enough.</summary>
    private Decoded Decode(ReadOnlyMemory<char> text)
    {
        MemoryMarshal.TryGetString(text, out string? source, out _, out _);
        if (_decoded is { } known && ReferenceEquals(known.Source, source))
            return known;
        lock (_gate)
        {
            if (_decoded is { } meanwhile && ReferenceEquals(meanwhile.Source, source))
                return meanwhile;
            DetectionPayload payload = DetectionPayload.Parse(text);
            return _decoded = new(source, payload, new(payload.Model, ModelPayload.Inference));
        }
    }

    private sealed record Decoded(string? Source, DetectionPayload Payload, DetectionScorer Scorer);
}
