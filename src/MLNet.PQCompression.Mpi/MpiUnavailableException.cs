namespace MLNet.PQCompression.Mpi;

/// <summary>There is no MPI library that fits, or the job was not started by its launcher. The message says what to install, or how to start.</summary>
public sealed class MpiUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public MpiUnavailableException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public MpiUnavailableException(string message, Exception innerException) : base(message, innerException) { }
}
