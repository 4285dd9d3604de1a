using System.Text;
using MPI;

namespace MLNet.PQCompression.Mpi;

/// <summary>A call of the MPI library failed, or another rank did.</summary>
public sealed class MpiException : IOException
{
    /// <summary>Creates the exception.</summary>
    public MpiException(string message) : base(message) { }

    /// <summary>Throws where a call gave an error code.</summary>
    /// <exception cref="MpiException">It did; the message is the library's.</exception>
    internal static void Require(int code, string call)
    {
        if (code == 0)
            return;
        var text = new byte[1024];
        int length = text.Length;
        Unsafe.MPI_Error_string(code, text, ref length);
        throw new MpiException($"{call} failed: {Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, text.Length)).TrimEnd('\0')}");
    }
}
