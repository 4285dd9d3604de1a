using System.Reflection;
using System.Runtime.InteropServices;

namespace MLNet.PQCompression.Mpi;

/// <summary>
/// Finds the MPI library. MPI.NET is compiled for Microsoft MPI, whose handles are integers. MPICH and what shares its binary interface (Intel MPI, MVAPICH, Cray MPICH) have the same
/// integers, so on Linux they are loaded in its place. Open MPI's handles are pointers.
/// </summary>
/// <remarks>The environment variable MPI_LIBRARY names another file.</remarks>
public static class MpiLibrary
{
    /// <summary>The environment variable with the file of an MPI library.</summary>
    public const string FileVariable = "MPI_LIBRARY";

    private const string Name = "msmpi.dll";

    private const string OpenMpi =
        "This MPI is Open MPI, whose handles are pointers where those of MPICH and Microsoft MPI are integers; MPI.NET calls the latter. Install MPICH (apt install mpich) and start with its mpiexec (mpiexec.mpich).";

    private static readonly string[] Candidates = OperatingSystem.IsWindows() ? [Name] : OperatingSystem.IsMacOS() ? ["libmpi.12.dylib", "libpmpi.12.dylib"] : ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12"];
    private static readonly Lock Lock = new();
    private static nint _library;
    private static bool _isResolved;

    /// <summary>Whether there is an MPI library here that fits.</summary>
    /// <param name="reason">Why not, and what to do; empty where there is.</param>
    public static bool TryLoad(out string reason)
    {
        lock (Lock)
        {
            reason = _library != 0 ? "" : Load(Environment.GetEnvironmentVariable(FileVariable), out _library);
            if (reason.Length > 0)
                _library = 0;
            return _library != 0;
        }
    }

    /// <summary>Loads the library.</summary>
    /// <exception cref="MpiUnavailableException">There is none, or it is Open MPI.</exception>
    public static void Load()
    {
        if (!TryLoad(out string reason))
            throw new MpiUnavailableException(reason);
    }

    /// <summary>Loads a file, or the first candidate that is there; what is wrong with it, or nothing.</summary>
    internal static string Load(string? file, out nint library)
    {
        library = 0;
        bool isGiven = !string.IsNullOrEmpty(file);
        foreach (string name in isGiven ? [file!] : Candidates)
            if (NativeLibrary.TryLoad(name, typeof(MpiLibrary).Assembly, null, out library))
                break;
        if (library == 0)
        {
            bool hasOther = !OperatingSystem.IsWindows() && !isGiven && (NativeLibrary.TryLoad("libmpi.so.40", out _) || NativeLibrary.TryLoad("libmpi.40.dylib", out _));
            return hasOther ? OpenMpi
                : isGiven ? $"{FileVariable} names '{file}', which cannot be loaded; name the file of MPICH's library (libmpich.so.12), or leave it out."
                : OperatingSystem.IsWindows() ? "There is no Microsoft MPI (msmpi.dll); install it from https://learn.microsoft.com/message-passing-interface/microsoft-mpi and start with mpiexec."
                : $"There is no MPICH ({Candidates[0]}); install it (apt install mpich, dnf install mpich), or let {FileVariable} name its file, and start with mpiexec.";
        }
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _))
            return OpenMpi;
        if (!NativeLibrary.TryGetExport(library, "MPI_Init_thread", out _))
            return $"'{file ?? Candidates[0]}' is no MPI library: it has no MPI_Init_thread.";
        if (!_isResolved)
            NativeLibrary.SetDllImportResolver(typeof(MPI.Unsafe).Assembly, Resolve);
        _isResolved = true;
        return "";
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? _library : 0;
}
