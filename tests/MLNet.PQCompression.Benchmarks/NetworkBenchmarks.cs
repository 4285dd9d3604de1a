using BenchmarkDotNet.Attributes;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Calls of a whole network: set PQ_BENCHMARK_MODEL to its file.</summary>
[MemoryDiagnoser]
public class NetworkBenchmarks
{
    private InferenceSession? _session;
    private float[] _images = [], _outputs = [];

    /// <summary>Images in a call.</summary>
    [Params(1, 8)]
    public int Batch { get; set; }

    /// <summary>Threads.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    /// <summary>The vector width.</summary>
    [Params(128, 256, 512)]
    public int Bits { get; set; }

    [GlobalSetup]
    public void Load()
    {
        string path = Environment.GetEnvironmentVariable("PQ_BENCHMARK_MODEL")
            ?? throw new InvalidOperationException("Set PQ_BENCHMARK_MODEL to the model file to time.");
        var level = (SimdLevel)Math.Min((int)SimdLevels.Best, Bits / 256);
        _session = new(ModelFile.Load(path), new() { Threads = Threads, MaxBatch = Batch, Level = level });
        _images = new float[Batch * _session.InputShape.Count];
        _outputs = new float[Batch * _session.OutputLength];
    }

    [GlobalCleanup]
    public void Close() => _session?.Dispose();

    [Benchmark]
    public void Run() => _session!.Run(_images, Batch, _outputs);
}
