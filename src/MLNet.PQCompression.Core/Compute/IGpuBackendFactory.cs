namespace MLNet.PQCompression.Compute;

/// <summary>Makes backends on a GPU; a package that has one implements it, so that others need not depend on that package to use it where the application does.</summary>
public interface IGpuBackendFactory
{
    /// <summary>Whether there is such a GPU and what it takes to use it.</summary>
    /// <param name="device">The GPU's number, from 0.</param>
    /// <param name="reason">Why not, and what to do; empty where it can be used.</param>
    bool IsAvailable(int device, out string reason);

    /// <summary>A backend on the GPU.</summary>
    /// <param name="device">The GPU's number, from 0.</param>
    /// <param name="threads">Threads on the host, or 0 for one for each processor.</param>
    /// <param name="log">Told where something was done otherwise than asked, or null.</param>
    IBackend Create(int device, int threads, Action<string>? log);
}
