using System.Runtime.InteropServices;
using Microsoft.ML.Transforms;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Saving;

/// <summary>Scores the rows of a loaded chain. One object serves all cursors and engines of the chain, so that they share the network.</summary>
internal sealed class SavedScoring<TInput> where TInput : SavedInput
{
    private readonly Lock _gate = new();
    private volatile Decoded? _decoded;

    /// <summary>Scores a row.</summary>
    public void Score(TInput row, SavedScores result)
    {
        Decoded decoded = Decode(row.Model);
        int length = decoded.Payload.Input.Length;
        Span<float> image = result.ImageBuffer(length), scores = result.ScoreBuffer(decoded.Scorer.RowLength);
        try
        {
            row.Convert(decoded.Payload.Input, image);
        }
        catch (Exception e) when (ImageReader.IsBadImage(e))
        {
            throw new InvalidDataException($"Column '{decoded.Payload.InputName}': {e.Message}", e);
        }
        decoded.Scorer.Score(image, 1, scores);
        result.Set(scores);
        uint key = decoded.Scorer.Model.Task == ImageTask.Classifier ? Prediction.KeyOf(scores) : 0;
        result.Class = key == 0 ? default : decoded.Scorer.Model.ClassNames[(int)key - 1].AsMemory();
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
            ModelPayload payload = ModelPayload.Parse(text);
            return _decoded = new(source, payload, new(payload.Model, ModelPayload.Inference));
        }
    }

    private sealed record Decoded(string? Source, ModelPayload Payload, ModelScorer Scorer);
}

/// <summary>Scores rows with an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedImageFactory : CustomMappingFactory<SavedImage, SavedScores>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreImage";

    /// <inheritdoc/>
    public override Action<SavedImage, SavedScores> GetMapping() => new SavedScoring<SavedImage>().Score;
}

/// <summary>Scores rows with the pixels of an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedFrameFactory : CustomMappingFactory<SavedFrame, SavedScores>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreFrame";

    /// <inheritdoc/>
    public override Action<SavedFrame, SavedScores> GetMapping() => new SavedScoring<SavedFrame>().Score;
}

/// <summary>Scores rows with a vector of numbers.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedPixelsFactory : CustomMappingFactory<SavedPixels, SavedScores>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScorePixels";

    /// <inheritdoc/>
    public override Action<SavedPixels, SavedScores> GetMapping() => new SavedScoring<SavedPixels>().Score;
}

/// <summary>Scores rows with an encoded image.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedEncodedFactory : CustomMappingFactory<SavedEncoded, SavedScores>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreEncoded";

    /// <inheritdoc/>
    public override Action<SavedEncoded, SavedScores> GetMapping() => new SavedScoring<SavedEncoded>().Score;
}

/// <summary>Scores rows with a path.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedPathFactory : CustomMappingFactory<SavedPath, SavedScores>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScorePath";

    /// <inheritdoc/>
    public override Action<SavedPath, SavedScores> GetMapping() => new SavedScoring<SavedPath>().Score;
}
