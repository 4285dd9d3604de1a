using System.Runtime.InteropServices;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>
/// Whether libtorch can be loaded here. It is asked before anything of TorchSharp's <c>torch</c> is touched: a failed first touch holds for the
/// life of the process, prints on standard output and copies 480 MB into the output folder.
/// </summary>
internal static class LibTorch
{
    private static readonly string? Failure = Load();

    /// <summary>Skips the running test, with the loader's reason, where libtorch cannot be loaded.</summary>
    public static void Require() => Skip.If(Failure is not null, $"libtorch cannot be loaded: {Failure}");

    private static string? Load()
    {
        string rid = OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";
        string folder = Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native");
        (string prefix, string suffix) = OperatingSystem.IsWindows() ? ("", ".dll") : OperatingSystem.IsMacOS() ? ("lib", ".dylib") : ("lib", ".so");
        try
        {
            foreach (string name in (ReadOnlySpan<string>)["c10", "torch_cpu", "torch", "LibTorchSharp"])
                NativeLibrary.Load(Path.Combine(folder, prefix + name + suffix));
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return e.Message;
        }
    }
}
