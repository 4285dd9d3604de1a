using System.Reflection;
using MLNet.PQCompression.Compute;

namespace MLNet.PQCompression.Fitting;

/// <summary>The GPU backend of the package MLNet.PQCompression.TorchSharp, where the application has it. This package does not depend on it: what scores needs neither.</summary>
internal static class GpuBackend
{
    private const string Package = "MLNet.PQCompression.TorchSharp", Factory = Package + ".TorchGpu";

    /// <summary>Makes backends on a GPU.</summary>
    /// <param name="device">The GPU's number, from 0.</param>
    /// <param name="log">Told where something was done otherwise than asked.</param>
    /// <param name="reason">Why it cannot, and what to do; empty where it can.</param>
    public static Func<int, IBackend>? Find(int device, Action<string> log, out string reason)
    {
        IGpuBackendFactory factory;
        try
        {
            factory = (IGpuBackendFactory)Activator.CreateInstance(Assembly.Load(Package).GetType(Factory, throwOnError: true)!)!;
        }
        catch (Exception e) when (e is IOException or TypeLoadException or BadImageFormatException)
        {
            reason = $"add the package {Package}, and TorchSharp-cuda-linux or TorchSharp-cuda-windows";
            return null;
        }
        return factory.IsAvailable(device, out reason) ? threads => factory.Create(device, threads, log) : null;
    }
}
