using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>
/// Finds libtorch before TorchSharp is touched. TorchSharp's own search, where it fails, writes to standard output, copies packages about and leaves the type unusable for the
/// life of the process.
/// </summary>
/// <remarks>It is looked for among the application's files; where these have none, in the folder that the environment variable LIBTORCH names, or its subfolder lib.</remarks>
public static class TorchLibrary
{
    /// <summary>The environment variable with a folder of libtorch's files: those of a NuGet package, of a download from pytorch.org, or of PyTorch itself (torch/lib).</summary>
    public const string FolderVariable = "LIBTORCH";

    private const string Packages =
        "add the package TorchSharp-cpu 0.107.0 (or libtorch-cpu-linux-x64, libtorch-cpu-win-x64, libtorch-cpu-osx-arm64 2.10.0 for one platform alone) to the application, "
        + "or for an NVIDIA GPU TorchSharp-cuda-linux or TorchSharp-cuda-windows 0.107.0, never two of them; or set " + FolderVariable + " to a folder that holds libtorch 2.10";

    private static readonly Lock Lock = new();
    private static bool _isLoaded;

    /// <summary>Whether libtorch can be loaded here.</summary>
    /// <param name="reason">Why not, and what to do; empty where it can.</param>
    public static bool TryLoad(out string reason)
    {
        lock (Lock)
        {
            reason = _isLoaded ? "" : Probe(typeof(torch).Assembly);
            return _isLoaded = reason.Length == 0;
        }
    }

    /// <summary>Loads libtorch.</summary>
    /// <exception cref="TorchUnavailableException">It is not there, or not for this system; the message names the packages.</exception>
    public static void Load()
    {
        if (!TryLoad(out string reason))
            throw new TorchUnavailableException(reason);
    }

    /// <summary>Loads what TorchSharp would load, in its order; what went wrong, or nothing.</summary>
    private static string Probe(Assembly assembly)
    {
        string? given = Environment.GetEnvironmentVariable(FolderVariable), folder = FolderBeside(given, assembly);
        if (!TryLoad("c10", folder, assembly) || !TryLoad("torch_cpu", folder, assembly))
            return $"libtorch is not {(string.IsNullOrEmpty(given) ? "among the files of this application" : $"among the files of this application, nor in {FolderVariable}={given}")}: {Packages}.";
        foreach (string name in (string[])["c10_cuda", "torch_cuda", "torch"]) // the first two are there with CUDA only
            TryLoad(name, folder, assembly);
        try
        {
            NativeLibrary.Load("LibTorchSharp", assembly, null);
            return "";
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return e.Message.Contains("GLIBC", StringComparison.Ordinal)
                ? $"libtorch is there, but this system's C++ runtime is too old for TorchSharp's (it needs GLIBCXX_3.4.32 and GLIBC 2.34, which Debian 13 and Ubuntu 24.04 have; a newer libstdc++6 will do): {e.Message}"
                : $"libtorch is there, but TorchSharp's native part cannot be loaded with it: {e.Message} Check that it is libtorch 2.10: {Packages}.";
        }
    }

    /// <summary>The folder that is looked into: none where the application has its own libtorch. TorchSharp would load that beside another, and two in one process end it.</summary>
    internal static string? FolderBeside(string? given, Assembly assembly) => TryLoad("c10", null, assembly) ? null : given;

    private static bool TryLoad(string name, string? folder, Assembly assembly)
    {
        string file = OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
        string[] given = string.IsNullOrEmpty(folder) ? [] : [Path.Combine(folder, file), Path.Combine(folder, "lib", file)];
        return given.Any(path => NativeLibrary.TryLoad(path, out _)) || NativeLibrary.TryLoad(file, assembly, null, out _);
    }
}
