using Microsoft.ML.Transforms;

namespace MLNet.PQCompression.Saving;

/// <summary>Finds the objects in the rows of a loaded chain, whose column decides on the type of its rows.</summary>
internal abstract class DetectionFactory<TInput> : CustomMappingFactory<TInput, SavedDetections> where TInput : SavedInput, new()
{
    /// <inheritdoc/>
    public sealed override Action<TInput, SavedDetections> GetMapping() => new SavedDetection<TInput>().Detect;
}

/// <summary>Finds the objects of rows with an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectImageFactory : DetectionFactory<SavedImage>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectImage";
}

/// <summary>Finds the objects of rows with the pixels of an image of ML.NET.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectFrameFactory : DetectionFactory<SavedFrame>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectFrame";
}

/// <summary>Finds the objects of rows with a vector of numbers.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectPixelsFactory : DetectionFactory<SavedPixels>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectPixels";
}

/// <summary>Finds the objects of rows with an encoded image.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectEncodedFactory : DetectionFactory<SavedEncoded>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectEncoded";
}

/// <summary>Finds the objects of rows with a path.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class DetectPathFactory : DetectionFactory<SavedPath>
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.DetectPath";
}
