using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class ShrinkageTargetTests
{
    private const int Channels = 6, Taps = 4, N = Channels * Taps;

    [Fact]
    public void A_covariance_of_channels_times_taps_is_its_own_target()
    {
        float[] covariance = Separable(seed: 1), doubled = [.. covariance];
        var target = new ShrinkageTarget(covariance, N, Taps, null);
        Assert.InRange(target.SquaredDistance(covariance, null), 0, 1e-8);
        target.AddTo(doubled, 1, null);
        for (int i = 0; i < doubled.Length; i++)
            Assert.Equal(2 * covariance[i], doubled[i], 1e-4f);
    }

    [Fact]
    public void Without_a_window_it_is_a_multiple_of_the_identity()
    {
        float[] covariance = Separable(seed: 2), shrunk = [.. covariance];
        new ShrinkageTarget(covariance, N, 1, null).AddTo(shrunk, 0.5, null);
        double mean = Enumerable.Range(0, N).Average(i => covariance[i * N + i]);
        for (int i = 0; i < N * N; i++)
            Assert.Equal(covariance[i] + (i / N == i % N ? 0.5 * mean : 0), shrunk[i], 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Taps)]
    public void Products_are_those_of_inputs_with_the_targets_covariance(int taps)
    {
        const int Rows = 5;
        var random = new Random(3);
        float[] covariance = Separable(seed: 4), weight = [.. Enumerable.Range(0, Rows * N).Select(_ => random.NextSingle() - 0.5f)];
        for (int i = 0; i < covariance.Length; i++)
            covariance[i] += i / N == i % N ? 0.3f : 0.01f;
        var target = new ShrinkageTarget(covariance, N, taps, null);
        float[] whole = new float[N * N], products = [.. Enumerable.Repeat(1f, N * Rows)];
        target.AddTo(whole, 1, null);
        target.AddProductTo(products, weight, 0.7, null);
        for (int i = 0; i < N; i++)
            for (int r = 0; r < Rows; r++)
                Assert.Equal(1 + 0.7 * Enumerable.Range(0, N).Sum(j => (double)whole[i * N + j] * weight[r * N + j]), products[i * Rows + r], 1e-4);
    }

    /// <summary>Few images leave most directions of 3×3 patches unseen; patches of one map share their covariances of channels and of taps.</summary>
    [Fact]
    public void From_few_images_it_is_nearer_to_the_covariance_of_many_than_the_identity_is()
    {
        const int Maps = 16, Side = 6;
        var geometry = new LayerGeometry(8, Maps * 9, 1, Window.Square(3, 1, 1));
        float[] few = Covariance(geometry, images: 4, seed: 5, out CovarianceSpread spread), many = Covariance(geometry, images: 400, seed: 6, out _);
        double apart = Distance(few), separable = Shrunk(taps: 9), identity = Shrunk(taps: 1);
        Assert.True(separable < 0.9 * Math.Min(identity, apart), $"{separable} by channels and taps, {identity} by the identity, {apart} without");

        double Shrunk(int taps)
        {
            var target = new ShrinkageTarget(few, geometry.RowLength, taps, null);
            double share = spread.Shrinkage(target.SquaredDistance(few, null));
            float[] shrunk = [.. few.Select(v => (float)(v * (1 - share)))];
            target.AddTo(shrunk, share, null);
            return Distance(shrunk);
        }

        double Distance(float[] covariance) => covariance.Zip(many, (a, b) => Math.Pow(a - b, 2)).Sum();

        static float[] Covariance(LayerGeometry geometry, int images, int seed, out CovarianceSpread spread)
        {
            var random = new Random(seed);
            var statistics = new OutputStatistics(geometry);
            for (int i = 0; i < images; i++)
            {
                // Smooth maps whose channels share two patterns.
                var map = new Activation(new(1, Maps, Side, Side));
                double[] phase = [.. Enumerable.Range(0, 4).Select(_ => random.NextDouble() * 6)];
                for (int c = 0; c < Maps; c++)
                    for (int p = 0; p < Side * Side; p++)
                        map.Span[c * Side * Side + p] = (float)(Math.Sin(phase[c % 2] + p / Side * 0.9) + Math.Cos(phase[2 + c % 2] + p % Side * 0.7) * (1 + c / 8.0) + random.NextDouble());
                statistics.Add(map, new(new(1, geometry.Rows, Side, Side)), int.MaxValue, 0, batch: i);
            }
            statistics.Halves[0].Average(0, true, null);
            statistics.Halves[1].Average(0, true, null);
            statistics.Halves[0].Merge(statistics.Halves[1], 0, true, null);
            spread = statistics.Spreads[0];
            return statistics.Halves[0].Inputs[0];
        }
    }

    private static float[] Separable(int seed)
    {
        var random = new Random(seed);
        double[] ofChannels = Positive(Channels), ofTaps = Positive(Taps);
        return [.. Enumerable.Range(0, N * N).Select(k => (float)(ofChannels[k / N / Taps * Channels + k % N / Taps] * ofTaps[k / N % Taps * Taps + k % N % Taps]))];

        double[] Positive(int n)
        {
            double[] factor = [.. Enumerable.Range(0, n * n).Select(_ => random.NextDouble() - 0.3)];
            return [.. Enumerable.Range(0, n * n).Select(k => Enumerable.Range(0, n).Sum(i => factor[k / n * n + i] * factor[k % n * n + i]))];
        }
    }
}
