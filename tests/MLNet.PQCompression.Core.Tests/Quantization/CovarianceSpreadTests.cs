using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class CovarianceSpreadTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(40)]
    public void The_shrinkage_is_that_of_Ledoit_and_Wolf_with_images_as_samples(int images)
    {
        const int N = 24, Rows = 5;
        float[] rows = Draw(images, Rows, N, seed: 3);
        var spread = new CovarianceSpread(N);
        int half = images / 2;
        var origin = new RowOrigin(N);
        origin.Set(rows.AsSpan(0, half * Rows * N));
        origin.Move(rows, null);
        spread.Add(rows[..(half * Rows * N)], half * Rows, half, null);
        spread.Add(rows[(half * Rows * N)..], (images - half) * Rows, images - half, null);

        var center = new double[N];
        double[][] own = [.. Enumerable.Range(0, images).Select(i => Covariance(rows.AsSpan(i * Rows * N, Rows * N), N, center))];
        double[] mean = [.. Enumerable.Range(0, N * N).Select(k => own.Average(a => a[k]))];
        float[] covariance = [.. mean.Select(v => (float)v)];
        double diagonal = Enumerable.Range(0, N).Average(i => mean[i * N + i]);
        double between = own.Sum(a => a.Zip(mean, (x, y) => (x - y) * (x - y)).Sum()) / images / images;
        double distance = Enumerable.Range(0, N * N).Sum(k => Math.Pow(mean[k] - (k / N == k % N ? diagonal : 0), 2));
        double expected = Math.Min(1, between / distance);
        Assert.InRange(spread.Shrinkage(covariance), expected * 0.8, expected * 1.25);
        Assert.InRange(expected, 1e-3, 0.9);
    }

    [Fact]
    public void Images_that_are_alike_need_no_shrinkage()
    {
        const int N = 12, Rows = 30;
        float[] rows = Draw(1, Rows, N, seed: 4);
        var spread = new CovarianceSpread(N);
        for (int i = 0; i < 5; i++)
            spread.Add(rows, Rows, 1, null);
        Assert.InRange(spread.Shrinkage([.. Covariance(rows, N, new double[N]).Select(v => (float)v)]), 0, 1e-6);
    }

    [Fact]
    public void From_few_images_codes_serve_other_images_better_with_shrinkage()
    {
        const int N = 64, Rows = 4, Outputs = 64, Images = 8;
        float[] few = Draw(Images, Rows, N, seed: 5), many = Draw(1000, Rows, N, seed: 6);
        var random = new Random(7);
        float[] weight = [.. Enumerable.Range(0, Outputs * N).Select(_ => random.NextSingle() - 0.5f)];
        double with = Error(isShrunk: true), without = Error(isShrunk: false);
        Assert.True(with < 0.8 * without, $"{with} with, {without} without");

        double Error(bool isShrunk)
        {
            var geometry = new LayerGeometry(Outputs, N, 1, Window.Square(1, 1, 0));
            var statistics = new OutputStatistics(geometry);
            statistics.Add(Image(few, Images, N), Image(Multiply(few, weight, N), Images, Outputs), int.MaxValue, 0);
            float[] ones = [.. Enumerable.Repeat(1f, Outputs)];
            var problem = new OutputProblem(statistics, weight, false, false, ones, 0.01, isShrunk, null);
            OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, 4, new() { Codewords = 16, Seed = 1 }, null, default);
            float[] quantized = [.. Enumerable.Range(0, weight.Length).Select(i => result.Codebook[result.Codes[i / 4] * 4 + i % 4])];
            float[] error = Multiply(many, [.. weight.Zip(quantized, (a, b) => a - b)], N);
            return error.Sum(e => (double)e * e);
        }

        static Activation Image(float[] pixels, int images, int channels)
        {
            var planes = new float[pixels.Length];
            for (int i = 0; i < pixels.Length; i++)
                planes[(i / channels / Rows * channels + i % channels) * Rows + i / channels % Rows] = pixels[i];
            return new(new(images, channels, 1, Rows), planes);
        }
    }

    /// <summary>Rows whose covariance falls off from input to input, those of one image alike.</summary>
    private static float[] Draw(int images, int rows, int n, int seed)
    {
        var random = new Random(seed);
        var drawn = new float[images * rows * n];
        for (int i = 0; i < images; i++)
        {
            double[] common = [.. Enumerable.Range(0, n).Select(j => (random.NextDouble() - 0.5) / (1 + j / 4.0))];
            for (int k = 0; k < rows * n; k++)
                drawn[i * rows * n + k] = (float)(common[k % n] + (random.NextDouble() - 0.5) / (1 + k % n / 4.0) / 2);
        }
        return drawn;
    }

    private static double[] Covariance(ReadOnlySpan<float> rows, int n, double[] center)
    {
        var covariance = new double[n * n];
        int count = rows.Length / n;
        for (int r = 0; r < count; r++)
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    covariance[i * n + j] += (rows[r * n + i] - center[i]) * (rows[r * n + j] - center[j]) / count;
        return covariance;
    }

    private static float[] Multiply(float[] rows, float[] weight, int n)
    {
        int outputs = weight.Length / n;
        return [.. Enumerable.Range(0, rows.Length / n * outputs).Select(k => Enumerable.Range(0, n).Sum(i => rows[k / outputs * n + i] * weight[k % outputs * n + i]))];
    }
}
