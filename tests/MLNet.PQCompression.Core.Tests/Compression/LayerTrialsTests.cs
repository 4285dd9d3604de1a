using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class LayerTrialsTests
{
    [Theory]
    [InlineData(512, 4608, 9, 256, 8)] // 262,144 blocks, and 8 panels of rows
    [InlineData(512, 4608, 9, 1024, 4)]
    [InlineData(512, 4608, 36, 1024, 1)]
    [InlineData(64, 576, 9, 16, 1)] // one panel of rows
    public void Rows_are_left_out_while_enough_blocks_are_left(int rows, int length, int blockSize, int codewords, int step) =>
        Assert.Equal(step, LayerTrials.StepOf(new LayerGeometry(rows, length, 1, Window.Square(3, 1, 1)), blockSize, codewords));

    [Fact]
    public void Groups_are_tried_whole() => Assert.Equal(1, LayerTrials.StepOf(new LayerGeometry(1024, 576, 2, Window.Square(3, 1, 1)), 9, 16));

    [Fact]
    public void Some_of_the_rows_tell_the_error_of_all()
    {
        const int Rows = 512, N = 48, D = 4, K = 8;
        var random = new Random(1);
        float[] factor = [.. Enumerable.Range(0, N * N).Select(i => (random.NextSingle() - 0.5f) / (1 + i / N / 8f))], weight = [.. Enumerable.Range(0, Rows * N).Select(_ => random.NextSingle() - 0.5f)];
        var hessian = new float[N * N];
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                for (int k = 0; k < N; k++)
                    hessian[i * N + j] += factor[k * N + i] * factor[k * N + j];
        float[] rowWeights = [.. Enumerable.Range(0, Rows).Select(_ => 0.5f + random.NextSingle())];
        var whole = new QuadraticObjective(new LayerGeometry(Rows, N, 1, null), [hessian], weight, rowWeights);
        int step = LayerTrials.StepOf(whole.Geometry, D, K);
        QuadraticObjective some = whole.BySome(step);
        Assert.Equal((8, Rows / 8), (step, some.Geometry.Rows));
        Assert.Equal(rowWeights[step], some.RowWeights[0][1]);
        Assert.Equal(weight[step * N + 5], some.Targets[0][5 * some.Stride + 1]);
        double all = Error(whole), few = Error(some);
        Assert.InRange(few, all * 0.9, all * 1.1);

        static double Error(QuadraticObjective objective) => OutputAwareQuantizer.Quantize(objective, D, OutputAwareOptions.Short with { Codewords = K, Seed = 3 }).RelativeError;
    }
}
