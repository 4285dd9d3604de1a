using Microsoft.ML.Transforms;

namespace MLNet.PQCompression.Saving;

/// <summary>Scores the rows of a loaded chain, whose column decides on the type of its rows.</summary>
internal abstract class ScoringFactory<TInput> : CustomMappingFactory<TInput, SavedScores> where TInput : SavedInput, new()
{
    /// <inheritdoc/>
    public sealed override Action<TInput, SavedScores> GetMapping() => new SavedScoring<TInput>().Score;
}

/// <summary>Scores rows with an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedImageFactory : ScoringFactory<SavedImage>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreImage";
}

/// <summary>Scores rows with the pixels of an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedFrameFactory : ScoringFactory<SavedFrame>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreFrame";
}

/// <summary>Scores rows with a vector of numbers.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedPixelsFactory : ScoringFactory<SavedPixels>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScorePixels";
}

/// <summary>Scores rows with an encoded image.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedEncodedFactory : ScoringFactory<SavedEncoded>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScoreEncoded";
}

/// <summary>Scores rows with a path.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class SavedPathFactory : ScoringFactory<SavedPath>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ScorePath";
}
