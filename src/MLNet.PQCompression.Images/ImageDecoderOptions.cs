namespace MLNet.PQCompression.Images;

/// <summary>Limits and choices of <see cref="ImageDecoder"/>.</summary>
public sealed record ImageDecoderOptions
{
    /// <summary>The defaults: 100 megapixels at most, truncated images refused, orientation applied.</summary>
    public static ImageDecoderOptions Default { get; } = new();

    /// <summary>The largest width·height that is decoded; checked before any pixel memory is allocated.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Whether an image that ends early is decoded as far as it goes (what is missing is grey or black) instead of refused.</summary>
    public bool AllowTruncated { get; init; }

    /// <summary>Whether the EXIF orientation is applied to the pixels, in every format that can carry one (JPEG, WebP, PNG).</summary>
    public bool ApplyOrientation { get; init; } = true;

    /// <summary>Refuses dimensions that are empty or exceed <see cref="MaxPixels"/>.</summary>
    internal void CheckSize(string format, long width, long height)
    {
        if (width <= 0 || height <= 0)
            throw new InvalidImageException(ImageFault.Malformed, $"{format}: the image is {width}×{height}; both must be positive.");
        if (width > Array.MaxLength / 3 || height > Array.MaxLength / 3 || width * height > Math.Min(MaxPixels, Array.MaxLength / 3))
            throw new InvalidImageException(ImageFault.TooLarge, $"{format}: the image is {width}×{height}; at most {MaxPixels} pixels are allowed.");
    }
}
