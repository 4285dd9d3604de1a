using MLNet.PQCompression.Compute;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>GPUs by number, as ML.NET's GpuDeviceId names them.</summary>
public sealed class TorchGpu : IGpuBackendFactory
{
    /// <inheritdoc/>
    public bool IsAvailable(int device, out string reason)
    {
        try
        {
            TorchDevice.Open($"cuda:{device}");
            reason = "";
            return true;
        }
        catch (Exception e) when (e is TorchUnavailableException or ArgumentException)
        {
            reason = e.Message;
            return false;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="TorchUnavailableException">libtorch or the GPU is not there.</exception>
    public IBackend Create(int device, int threads, Action<string>? log) => new TorchBackend(new() { Device = $"cuda:{device}", Threads = threads, Log = log });
}
