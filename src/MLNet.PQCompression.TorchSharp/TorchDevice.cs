using System.Globalization;
using TorchSharp;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>Devices by name.</summary>
public static class TorchDevice
{
    /// <summary>Whether there is an NVIDIA GPU that libtorch can use. False, and no exception, where libtorch is missing.</summary>
    public static bool HasCuda => TorchLibrary.TryLoad(out _) && torch.cuda.is_available();

    /// <summary>Checks a device's name.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:N".</param>
    /// <exception cref="ArgumentException">It is none of them.</exception>
    public static (DeviceType Type, int Index) Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split(':');
        int index = 0;
        bool known = parts is ["cpu"] or ["cuda"]
            || (parts is ["cuda", _] && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        return known ? (parts[0] == "cpu" ? DeviceType.CPU : DeviceType.CUDA, index) : throw new ArgumentException($"'{name}' is no device; give cpu, cuda or cuda:N.", nameof(name));
    }

    /// <summary>The device, made ready.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:N"; null takes the first GPU where there is one, else the CPU.</param>
    /// <exception cref="ArgumentException">The name is none of them.</exception>
    /// <exception cref="TorchUnavailableException">libtorch or the GPU is not there.</exception>
    public static torch.Device Open(string? name)
    {
        (DeviceType type, int index) = name is null ? (HasCuda ? DeviceType.CUDA : DeviceType.CPU, 0) : Parse(name);
        TorchLibrary.Load();
        if (type == DeviceType.CPU)
            return torch.device(DeviceType.CPU);
        if (!torch.cuda.is_available())
            throw new TorchUnavailableException(
                $"There is no GPU for '{name}': libtorch finds none. It needs an NVIDIA driver for CUDA 12.8 and the package TorchSharp-cuda-linux or TorchSharp-cuda-windows in place of TorchSharp-cpu. "
                + "Without them choose the device cpu, or the managed backend, which is faster there.");
        int count = torch.cuda.device_count();
        return index < count
            ? torch.device(DeviceType.CUDA, index)
            : throw new TorchUnavailableException($"There is no GPU {index}: libtorch finds {count}, cuda:0 to cuda:{count - 1}.");
    }
}
