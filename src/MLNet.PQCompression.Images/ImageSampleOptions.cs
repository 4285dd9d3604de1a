namespace MLNet.PQCompression.Images;

/// <summary>What happens when an image cannot be read or decoded.</summary>
public enum OnBadImage
{
    /// <summary>Reading ends with its <see cref="InvalidImageException"/>.</summary>
    Fail,

    /// <summary>The image is left out and reported.</summary>
    Skip,
}

/// <summary>An image that was left out.</summary>
/// <param name="Name">Its name in the source.</param>
/// <param name="Error">What is wrong with it.</param>
public sealed record BadImage(string Name, InvalidImageException Error);

/// <summary>Choices of <see cref="ImageSampleSource"/>.</summary>
public sealed record ImageSampleOptions
{
    /// <summary>What happens when an image cannot be read or decoded.</summary>
    public OnBadImage OnBadImage { get; init; } = OnBadImage.Fail;

    /// <summary>Told of every image that is left out, once.</summary>
    public IProgress<BadImage>? BadImages { get; init; }

    /// <summary>Threads that decode; 0 for one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>Where all images, cropped and as bytes, fit this many bytes, they are kept in memory and decoded once.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Limits of the decoder.</summary>
    public ImageDecoderOptions Decoder { get; init; } = ImageDecoderOptions.Default;
}
