namespace MLNet.PQCompression.TorchSharp;

/// <summary>libtorch, or the device asked for, is not to be had. The message says which package to add.</summary>
public sealed class TorchUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public TorchUnavailableException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public TorchUnavailableException(string message, Exception innerException) : base(message, innerException) { }
}
