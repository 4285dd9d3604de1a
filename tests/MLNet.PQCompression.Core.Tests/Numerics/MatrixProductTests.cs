using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Numerics;

public sealed class MatrixProductTests
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 1, 300, 77 }, { 3, 50, 9 }, { 2, 5, 0 }, { 5, 1, 40 }, { 6, 16, 1 }, { 12, 32, 33 }, { 13, 33, 31 },
        { 64, 49, 576 }, { 25, 130, 641 }, { 131, 530, 45 }, { 250, 7, 19 },
    };

    public static IEnumerable<object[]> Levels => SimdLevels.Supported.Select(level => new object[] { level });

    [Theory]
    [MemberData(nameof(Sizes))]
    public void EveryLevelAndTranspositionEqualsTheDefinition(int m, int n, int k)
    {
        var random = new Random(m * 10007 + n * 101 + k);
        using var pool = new WorkerPool(2);
        foreach (SimdLevel level in SimdLevels.Supported)
            foreach (bool transposeA in new[] { false, true })
                foreach (bool transposeB in new[] { false, true })
                    foreach (float beta in new[] { 0f, 1f, -0.5f })
                    {
                        int lda = (transposeA ? m : k) + 3, ldb = (transposeB ? k : n) + 1, ldc = n + 2;
                        float[] a = Fill(random, (transposeA ? k : m) * lda), b = Fill(random, (transposeB ? n : k) * ldb), c = Fill(random, m * ldc);
                        float[] expected = [.. c];
                        for (int i = 0; i < m; i++)
                            for (int j = 0; j < n; j++)
                            {
                                double sum = beta * (double)c[i * ldc + j];
                                for (int p = 0; p < k; p++)
                                    sum += (double)(transposeA ? a[p * lda + i] : a[i * lda + p]) * (transposeB ? b[j * ldb + p] : b[p * ldb + j]);
                                expected[i * ldc + j] = (float)sum;
                            }
                        if (beta == 0)
                            for (int i = 0; i < m; i++)
                                c.AsSpan(i * ldc, n).Fill(float.NaN);
                        MatrixProduct.Multiply(level, transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc, pool);
                        for (int i = 0; i < c.Length; i++)
                            Assert.True(Math.Abs(expected[i] - c[i]) <= 1e-6 * (k + 4), $"{level} {transposeA} {transposeB} β={beta} at {i}: {c[i]}, not {expected[i]}");
                    }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void ThreadsDoNotChangeABit(object level)
    {
        var random = new Random(5);
        const int M = 257, N = 1030, K = 700;
        float[] a = Fill(random, M * K), b = Fill(random, K * N), one = new float[M * N], three = new float[M * N];
        using var pool = new WorkerPool(3);
        MatrixProduct.Multiply((SimdLevel)level, false, false, M, N, K, a, K, b, N, 0, one, N, null);
        MatrixProduct.Multiply((SimdLevel)level, false, false, M, N, K, a, K, b, N, 0, three, N, pool);
        Assert.Equal(one, three);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(37, 50)]
    [InlineData(150, 401)]
    [InlineData(530, 20)]
    public void SymmetricRankUpdateEqualsTheProduct(int n, int rows)
    {
        var random = new Random(n);
        float[] x = Fill(random, rows * (n + 1)), start = new float[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
                start[i * n + j] = start[j * n + i] = random.NextSingle();
        float[] expected = [.. start];
        MatrixProduct.Multiply(true, false, n, n, rows, x, n + 1, x, n + 1, 1, expected, n);
        using var pool = new WorkerPool(2);
        foreach (SimdLevel level in SimdLevels.Supported)
        {
            float[] h = [.. start];
            MatrixProduct.SymmetricRankUpdate(level, n, rows, x, n + 1, h, n, pool);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                {
                    Assert.Equal(h[i * n + j], h[j * n + i]);
                    Assert.True(Math.Abs(expected[i * n + j] - h[i * n + j]) <= 1e-6 * (rows + 4));
                }
        }
    }

    [Fact]
    public void ShortSpansAreRefused()
    {
        var data = new float[12];
        Assert.Throws<ArgumentException>("a", () => MatrixProduct.Multiply(false, false, 4, 3, 4, data, 4, data, 3, 0, new float[12], 3));
        Assert.Throws<ArgumentException>("b", () => MatrixProduct.Multiply(false, false, 3, 4, 4, data, 4, data, 4, 0, new float[12], 4));
        Assert.Throws<ArgumentException>("c", () => MatrixProduct.Multiply(false, false, 4, 4, 3, data, 3, data, 4, 0, new float[15], 4));
        Assert.Throws<ArgumentException>("h", () => MatrixProduct.SymmetricRankUpdate(4, 3, data, 4, new float[15], 4));
    }

    private static float[] Fill(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = random.NextSingle() * 2 - 1;
        return values;
    }
}
