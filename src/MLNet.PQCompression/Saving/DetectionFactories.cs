using Microsoft.ML.Transforms;

namespace MLNet.PQCompression.Saving;

/// <summary>Finds the objects of rows with an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectImageFactory : CustomMappingFactory<SavedImage, SavedDetections>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectImage";

    /// <inheritdoc/>
    public override Action<SavedImage, SavedDetections> GetMapping() => new SavedDetection<SavedImage>().Detect;
}

/// <summary>Finds the objects of rows with the pixels of an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectFrameFactory : CustomMappingFactory<SavedFrame, SavedDetections>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectFrame";

    /// <inheritdoc/>
    public override Action<SavedFrame, SavedDetections> GetMapping() => new SavedDetection<SavedFrame>().Detect;
}

/// <summary>Finds the objects of rows with a vector of numbers.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectPixelsFactory : CustomMappingFactory<SavedPixels, SavedDetections>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectPixels";

    /// <inheritdoc/>
    public override Action<SavedPixels, SavedDetections> GetMapping() => new SavedDetection<SavedPixels>().Detect;
}

/// <summary>Finds the objects of rows with an encoded image.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectEncodedFactory : CustomMappingFactory<SavedEncoded, SavedDetections>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectEncoded";

    /// <inheritdoc/>
    public override Action<SavedEncoded, SavedDetections> GetMapping() => new SavedDetection<SavedEncoded>().Detect;
}

/// <summary>Finds the objects of rows with a path.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectPathFactory : CustomMappingFactory<SavedPath, SavedDetections>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectPath";

    /// <inheritdoc/>
    public override Action<SavedPath, SavedDetections> GetMapping() => new SavedDetection<SavedPath>().Detect;
}
