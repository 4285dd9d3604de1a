using Microsoft.ML.OnnxRuntime;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>ONNX Runtime's native library comes with the package.</summary>
public sealed class NativeLibraryTests
{
    [Fact]
    public void The_CPU_provider_is_there() =>
        Assert.Contains("CPUExecutionProvider", OrtEnv.Instance().GetAvailableProviders());
}
