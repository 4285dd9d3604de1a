namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Whether libtorch can be loaded here. It is asked before anything of TorchSharp's <c>torch</c> is touched: a failed first touch holds for the life of the process.</summary>
internal static class LibTorch
{
    /// <summary>Skips the running test, with the loader's reason, where libtorch cannot be loaded.</summary>
    public static void Require() => Skip.If(!TorchLibrary.TryLoad(out string reason), reason);
}
