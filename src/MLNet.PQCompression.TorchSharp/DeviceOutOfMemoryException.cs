namespace MLNet.PQCompression.TorchSharp;

/// <summary>The device has no room for a step of the work, not even for one image of it.</summary>
public sealed class DeviceOutOfMemoryException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What there was no room for, and what to do.</param>
    /// <param name="innerException">What libtorch said.</param>
    public DeviceOutOfMemoryException(string message, Exception innerException) : base(message, innerException) { }
}
