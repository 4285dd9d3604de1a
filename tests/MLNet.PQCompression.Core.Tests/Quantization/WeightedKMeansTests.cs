using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class WeightedKMeansTests
{
    /// <summary>The reference case: a real layer, real activations, iterations computed by brute force over the activations.</summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(10)]
    public void The_reference_case_gives_the_brute_force_codes_and_codebooks(int iterations)
    {
        float[] weight = Load("W_64x64x3x3.npy").Floats(), initial = Load("C0_256x9.npy").Floats();
        NpyFile rows = NpyFile.Load(SharedData.Require("reference/em_case/X_rows_9984x9.npy"));
        double[] gram = Gram(rows.Floats(), 9);

        KMeansResult result = WeightedKMeans.Fit(weight, 9, gram, initial, new KMeansOptions { Codewords = 256, Iterations = iterations });

        Assert.Equal(iterations, result.Iterations.Count);
        float[] expected = Load($"C_iter{iterations}.npy").Floats();
        float scale = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(MathF.Abs(expected[i] - result.Codebook[i]) <= 1e-4f * scale, $"codebook[{i}]: {result.Codebook[i]} instead of {expected[i]}");
        if (iterations == 1)
        {
            int[] codes = Load("A_iter1.npy").Ints(); // block-major, the output channel fastest
            for (int o = 0; o < 64; o++)
                for (int b = 0; b < 64; b++)
                    Assert.Equal(codes[b * 64 + o], result.Codes[o * 64 + b]);
        }

        static NpyFile Load(string name) => NpyFile.Load(SharedData.Require($"reference/em_case/{name}"));
    }

    [Theory]
    [InlineData(4, 7, 1)]
    [InlineData(9, 32, 2)]
    [InlineData(18, 16, 3)]
    public void The_fast_path_equals_brute_force_over_activations(int d, int k, int seed)
    {
        var random = new Random(seed);
        float[] blocks = Gaussian(random, 500 * d), activations = Gaussian(random, 300 * d);
        for (int i = 0; i < activations.Length; i++)
            activations[i] = (activations[i] + activations[i / d * d]) * (1 + i % d); // correlated, of unequal scale
        float[] initial = blocks[..(k * d)];

        KMeansResult result = WeightedKMeans.Fit(blocks, d, Gram(activations, d), initial, new KMeansOptions { Codewords = k, Iterations = 5 });
        (double[] codebook, int[] codes) = BruteForce(blocks, activations, initial, d, 5);

        Assert.Equal(codes, result.Codes.Select(c => (int)c));
        for (int i = 0; i < codebook.Length; i++)
            Assert.Equal(codebook[i], result.Codebook[i], 4);
    }

    [Fact]
    public void The_objective_never_rises_and_is_that_of_the_result()
    {
        var random = new Random(5);
        float[] blocks = Gaussian(random, 3000 * 4);
        double[] gram = Gram(Gaussian(random, 50 * 4), 4);
        KMeansResult result = WeightedKMeans.Fit(blocks, 4, gram, new KMeansOptions { Codewords = 64, Iterations = 40, Seed = 1 });
        for (int i = 1; i < result.Iterations.Count; i++)
            Assert.True(result.Iterations[i].Objective <= result.Iterations[i - 1].Objective * (1 + 1e-9));
        Assert.True(result.Objective <= result.Iterations[^1].Objective * (1 + 1e-9));
    }

    [Fact]
    public void Results_depend_on_the_seed_and_not_on_the_threads()
    {
        float[] blocks = Gaussian(new Random(6), 5000 * 9);
        var options = new KMeansOptions { Codewords = 128, Iterations = 10, Seed = 3 };
        using var pool = new WorkerPool(3);
        KMeansResult one = WeightedKMeans.Fit(blocks, 9, [], options), three = WeightedKMeans.Fit(blocks, 9, [], options, new ManagedQuantization(pool));
        Assert.Equal(one.Codebook, three.Codebook);
        Assert.Equal(one.Codes, three.Codes);
        Assert.NotEqual(one.Codebook, WeightedKMeans.Fit(blocks, 9, [], options with { Seed = 4 }).Codebook);
    }

    [Fact]
    public void Empty_clusters_are_filled()
    {
        // Two far codewords attract nothing at first.
        float[] blocks = Gaussian(new Random(7), 200 * 2);
        float[] initial = [0, 0, 1e3f, 1e3f, -1e3f, 0, 0.1f, 0.1f];
        KMeansResult result = WeightedKMeans.Fit(blocks, 2, [], initial, new KMeansOptions { Codewords = 4, Iterations = 20 });
        Assert.Equal(4, result.Codes.Distinct().Count());
        Assert.True(result.Iterations[0].Splits >= 2);
    }

    [Fact]
    public void Fewer_distinct_blocks_than_codewords_ends_with_no_error()
    {
        float[] blocks = [.. Enumerable.Range(0, 64).SelectMany(i => new float[] { i % 3, 1 })];
        KMeansResult result = WeightedKMeans.Fit(blocks, 2, [], new KMeansOptions { Codewords = 16, Iterations = 50 });
        Assert.Equal(0, result.Objective, 9);
        Assert.True(result.Iterations.Count < 50);
    }

    /// <summary>Most blocks of a pruned layer are zeros: the largest cluster cannot be split, and the others still make use of all codewords.</summary>
    [Fact]
    public void A_cluster_of_zeros_does_not_keep_codewords_from_the_rest()
    {
        float[] blocks = [.. new float[3000 * 4], .. Gaussian(new Random(8), 200 * 4)];
        KMeansResult result = WeightedKMeans.Fit(blocks, 4, [], new KMeansOptions { Codewords = 64, Iterations = 50 });
        Assert.Equal(64, result.Codes.Distinct().Count());
        Assert.Single(result.Codes.Take(3000).Distinct());
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        var options = new KMeansOptions { Codewords = 4 };
        Assert.Throws<ArgumentException>(() => WeightedKMeans.Fit(new float[6], 2, [], options));
        Assert.Throws<ArgumentException>(() => WeightedKMeans.Fit(new float[9], 2, [], options));
        Assert.Throws<ArgumentException>(() => WeightedKMeans.Fit([1, 2, 3, 4, 5, 6, 7, float.NaN], 2, [], options));
        Assert.Throws<ArgumentException>(() => WeightedKMeans.Fit(new float[8], 2, new double[3], options));
        Assert.Throws<OperationCanceledException>(() => WeightedKMeans.Fit(new float[8], 2, [], options, null, new CancellationToken(true)));
    }

    private static (double[] Codebook, int[] Codes) BruteForce(float[] blocks, float[] activations, float[] initial, int d, int iterations)
    {
        int count = blocks.Length / d, k = initial.Length / d;
        double[] codebook = [.. initial.Select(x => (double)x)];
        var codes = new int[count];
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            for (int i = 0; i < count; i++)
            {
                double best = double.PositiveInfinity;
                for (int c = 0; c < k; c++)
                {
                    double error = 0;
                    for (int r = 0; r < activations.Length / d; r++)
                    {
                        double dot = 0;
                        for (int j = 0; j < d; j++)
                            dot += activations[r * d + j] * (blocks[i * d + j] - codebook[c * d + j]);
                        error += dot * dot;
                    }
                    if (error < best)
                        (best, codes[i]) = (error, c);
                }
            }
            for (int c = 0; c < k; c++)
            {
                int[] members = [.. Enumerable.Range(0, count).Where(i => codes[i] == c)];
                for (int j = 0; j < d && members.Length > 0; j++)
                    codebook[c * d + j] = members.Average(i => (double)blocks[i * d + j]);
            }
        }
        return (codebook, codes);
    }

    private static double[] Gram(float[] rows, int d)
    {
        var gram = new double[d * d];
        for (int r = 0; r < rows.Length / d; r++)
            for (int i = 0; i < d; i++)
                for (int j = 0; j < d; j++)
                    gram[i * d + j] += (double)rows[r * d + i] * rows[r * d + j];
        return gram;
    }

    private static float[] Gaussian(Random random, int count)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
