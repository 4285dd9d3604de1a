using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Numerics;

public sealed class CholeskyTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 3)]
    [InlineData(96, 5)]
    [InlineData(250, 20)]
    [InlineData(500, 33)]
    public void A_large_system_is_solved(int n, int columns)
    {
        var random = new Random(n);
        float[] a = Positive(random, n), x = [.. Enumerable.Range(0, n * columns).Select(_ => random.NextSingle() - 0.5f)];
        var b = new float[n * columns];
        MatrixProduct.Multiply(false, false, n, columns, n, a, n, x, columns, 0, b, columns);
        Assert.True(Cholesky.TryFactor(a, n));
        Cholesky.Solve(a, n, b, columns);
        for (int i = 0; i < x.Length; i++)
            Assert.Equal(x[i], b[i], 2e-3);
    }

    [Fact]
    public void A_matrix_that_is_not_positive_definite_is_refused()
    {
        float[] a = Positive(new Random(1), 200);
        a[150 * 200 + 150] = -1;
        Assert.False(Cholesky.TryFactor(a, 200));
        Assert.False(Cholesky.TryFactorSmall([1, 2, 2, 1], 2, 0, new double[4]));
    }

    [Fact]
    public void A_singular_small_matrix_is_damped_until_it_factors()
    {
        double[] factor = Cholesky.FactorSmall([1, 1, 1, 1], 2, 0);
        Assert.Equal(1, factor[0], 6);
        Assert.Equal(1, factor[2], 6);
        Assert.Equal([1, 0, 0, 1], Cholesky.FactorSmall(new double[4], 2, 0));
    }

    private static float[] Positive(Random random, int n)
    {
        float[] x = [.. Enumerable.Range(0, 2 * n * n).Select(_ => random.NextSingle() - 0.5f)];
        var a = new float[n * n];
        MatrixProduct.Multiply(true, false, n, n, 2 * n, x, n, x, n, 0, a, n);
        return a;
    }
}
