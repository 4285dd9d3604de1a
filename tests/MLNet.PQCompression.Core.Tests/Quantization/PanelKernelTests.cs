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
    public void The_gradient_gains_the_columns_of_H_times_the_change(string level, int n, int d)
    {
        var random = new Random(n);
        float[] columns = Draw(random, d * n), change = Draw(random, d * Lanes), before = Draw(random, n * Lanes), gradient = [.. before];
        PanelUpdate.Add(Enum.Parse<SimdLevel>(level), columns, n, d, change, gradient);
        for (int i = 0; i < gradient.Length; i++)
            Assert.Equal(before[i] + Enumerable.Range(0, d).Sum(j => (double)columns[j * n + i / Lanes] * change[j * Lanes + i % Lanes]), gradient[i], 1e-4);
    }

    private static float[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}
