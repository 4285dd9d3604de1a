namespace MLNet.PQCompression.Images;

/// <summary>How an image is brought to a size before it is cropped.</summary>
public enum ResizeMode
{
    /// <summary>Not at all: an image that has another size is cropped, or padded with black.</summary>
    None,

    /// <summary>To exactly the crop's size; the ratio of the sides may change. An image of that size is left as it is.</summary>
    Exact,

    /// <summary>So that its shorter side has <see cref="ImagePreprocessing.ShortSide"/> pixels.</summary>
    ShortSide,

    /// <summary>So that all of it fits into the crop's size, in its middle; what is left over has the grey <see cref="ImagePreprocessing.Padding"/>.</summary>
    Letterbox,

    /// <summary>The same, but in its upper left corner.</summary>
    LetterboxTopLeft,
}
