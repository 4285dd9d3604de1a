using BenchmarkDotNet.Attributes;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Benchmarks;

/// <summary>Matrix products and Gram matrices at the sizes that compression meets, on one thread and at each vector width.</summary>
public class MatrixProductBenchmarks
{
    private float[] _a = [], _b = [], _c = [];

    /// <summary>Rows, columns and depth.</summary>
    [Params("1024,1024,1024", "64,3136,576", "512,49,4608")]
    public string Size { get; set; } = "";

    /// <summary>The vector width; those that the machine lacks fall back to its widest.</summary>
    [Params(128, 256, 512)]
    public int Bits { get; set; }

    private int M => int.Parse(Size.Split(',')[0]);

    private int N => int.Parse(Size.Split(',')[1]);

    private int K => int.Parse(Size.Split(',')[2]);

    private SimdLevel Level => (SimdLevel)Math.Min((int)SimdLevels.Best, Bits / 256);

    [GlobalSetup]
    public void Fill()
    {
        var random = new Random(1);
        _a = [.. Enumerable.Range(0, M * K).Select(_ => random.NextSingle())];
        _b = [.. Enumerable.Range(0, K * N).Select(_ => random.NextSingle())];
        _c = new float[Math.Max(M * N, K * K)];
    }

    [Benchmark]
    public void Product() => MatrixProduct.Multiply(Level, false, false, M, N, K, _a, K, _b, N, 0, _c, N, null);

    [Benchmark]
    public void Gram() => MatrixProduct.SymmetricRankUpdate(Level, K, M, _a, K, _c, K, null);
}
