using MLNet.PQCompression.Compute;

// libtorch's threads, and the tensors that are alive, are the process's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>A test on both backends: libtorch on one thread and without TF32, and the managed engine that it is held to.</summary>
public abstract class TorchTest : IDisposable
{
    private readonly Lazy<TorchBackend> _torch = new(() => new(new() { Device = Device, Threads = 1, AllowTensorFloat32 = false }));

    /// <summary>Skips, with the reason, where libtorch cannot be loaded.</summary>
    protected TorchTest() => Available = TorchLibrary.TryLoad(out string reason) ? null : reason;

    /// <summary>The device that is tested: PQ_TEST_DEVICE, or the CPU.</summary>
    private protected static string Device { get; } = Environment.GetEnvironmentVariable("PQ_TEST_DEVICE") is { Length: > 0 } device ? device : "cpu";

    private string? Available { get; }

    private protected ManagedBackend Managed { get; } = new(1);

    private protected TorchBackend Torch
    {
        get
        {
            Skip.If(Available is not null, $"skipped: {Available}");
            return _torch.Value;
        }
    }

    public virtual void Dispose()
    {
        if (_torch.IsValueCreated)
            _torch.Value.Dispose();
        Managed.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Holds values to others: the largest difference relative to their root mean square.</summary>
    private protected static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double square = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            square += (double)expected[i] * expected[i] / expected.Length;
            largest = Math.Max(largest, Math.Abs((double)expected[i] - actual[i]));
            Assert.False(float.IsNaN(actual[i]), $"{what}[{i}] is NaN");
        }
        Assert.True(largest <= tolerance * Math.Max(Math.Sqrt(square), 1e-6), $"{what}: differs by {largest:G3}, with values of about {Math.Sqrt(square):G3}");
    }

    private protected static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance, string what) =>
        Close(Array.ConvertAll(expected.ToArray(), v => (float)v), Array.ConvertAll(actual.ToArray(), v => (float)v), tolerance, what);
}
