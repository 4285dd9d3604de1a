namespace MLNet.PQCompression.Images;

/// <summary>What is wrong with an image.</summary>
public enum ImageFault
{
    /// <summary>The bytes are of no format that is read here.</summary>
    UnknownFormat,

    /// <summary>A known format in a form that is not read here, such as arithmetic coding.</summary>
    Unsupported,

    /// <summary>The bytes contradict their format.</summary>
    Malformed,

    /// <summary>The bytes end before the image does.</summary>
    Truncated,

    /// <summary>The image, or its file, is larger than the options allow.</summary>
    TooLarge,

    /// <summary>The file could not be opened or read.</summary>
    Unreadable,

    /// <summary>The picture has another size than it should have.</summary>
    OtherSize,
}

/// <summary>An image that cannot be decoded.</summary>
public sealed class InvalidImageException : Exception
{
    /// <summary>Creates the exception.</summary>
    public InvalidImageException(ImageFault fault, string message) : base(message) => Fault = fault;

    /// <summary>Creates the exception with its cause.</summary>
    public InvalidImageException(ImageFault fault, string message, Exception innerException) : base(message, innerException) => Fault = fault;

    /// <summary>What is wrong.</summary>
    public ImageFault Fault { get; }
}
