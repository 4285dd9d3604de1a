using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Tests.Quantization;

/// <summary>The inner loops of the search for codes, for every vector width on whatever machine.</summary>
public sealed class PanelKernelTests
{
    private const int Lanes = NearestCodeword.Lanes;

    public static IEnumerable<object[]> Cases =>
        from level in Enum.GetNames<SimdLevel>()
        from shape in new (int Count, int BlockSize)[] { (1, 1), (7, 9), (256, 4), (255, 18) }
        select new object[] { level, shape.Count, shape.BlockSize };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_nearest_codeword_is_the_first_of_the_least_score(string level, int k, int d)
    {
        var random = new Random(k);
        float[] queries = Draw(random, d * Lanes), codebook = Draw(random, k * d), offsets = Draw(random, k);
        if (k > 5)
        {
            codebook.AsSpan(2 * d, d).CopyTo(codebook.AsSpan(5 * d)); // a tie, which the lower code wins
            offsets[5] = offsets[2];
        }
        var codes = new int[Lanes];
        var scores = new float[Lanes];
        NearestCodeword.Search(Enum.Parse<SimdLevel>(level), queries, d, codebook, offsets, codes, scores);
        for (int lane = 0; lane < Lanes; lane++)
        {
            double[] expected = [.. Enumerable.Range(0, k).Select(c => offsets[c] + Enumerable.Range(0, d).Sum(j => (double)codebook[c * d + j] * queries[j * Lanes + lane]))];
            Assert.Equal(expected.Min(), scores[lane], 1e-4);
            Assert.Equal(expected[codes[lane]], expected.Min(), 1e-4);
            Assert.NotEqual(5, codes[lane]);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_gradients_of_moved_rows_gain_the_columns_of_H_times_their_change(string level, int n, int d)
    {
        const int rows = 11;
        int stride = n + 3;
        foreach (int[] moved in new int[][] { [], [4], [0, 10], [7, 2, 9], [1, 2, 3, 5, 8], [.. Enumerable.Range(0, rows)] })
        {
            var random = new Random(n);
            float[] columns = Draw(random, d * n), changes = Draw(random, moved.Length * d), before = Draw(random, rows * stride), gradient = [.. before];
            PanelUpdate.Add(Enum.Parse<SimdLevel>(level), columns, n, d, moved, changes, gradient, stride);
            for (int i = 0; i < gradient.Length; i++)
            {
                (int column, int change) = (i % stride, Array.IndexOf(moved, i / stride));
                double gain = change < 0 || column >= n ? 0 : Enumerable.Range(0, d).Sum(j => (double)columns[j * n + column] * changes[change * d + j]);
                Assert.Equal(before[i] + gain, gradient[i], 1e-4);
            }
        }
    }

    [Fact]
    public void Rows_that_are_not_there_are_refused() => Assert.Throws<ArgumentOutOfRangeException>(() =>
        PanelUpdate.Add(SimdLevels.Best, new float[4], 4, 1, [1], new float[1], new float[7], 4));

    private static float[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}
