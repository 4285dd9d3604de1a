using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

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

    [Theory]
    [InlineData(1024, 2, 8)]
    [InlineData(1024, 32, 1)] // half a panel of rows in each group
    public void Rows_of_groups_are_left_out_likewise(int rows, int groups, int step) =>
        Assert.Equal(step, LayerTrials.StepOf(new LayerGeometry(rows, 576, groups, Window.Square(3, 1, 1)), 9, 16));

    [Fact]
    public void Some_rows_of_each_group_have_their_targets_and_weights()
    {
        const int Rows = 10, N = 4, Groups = 2;
        float[] weight = [.. Enumerable.Range(0, Rows * N).Select(i => (float)i)], rowWeights = [.. Enumerable.Range(0, Rows).Select(i => 1f + i)];
        float[][] hessians = [new float[N * N], new float[N * N]];
        QuadraticObjective some = new QuadraticObjective(new LayerGeometry(Rows, N, Groups), hessians, weight, rowWeights).BySome(2);
        Assert.Equal((6, 3), (some.Geometry.Rows, some.Geometry.RowsPerGroup));
        for (int g = 0; g < Groups; g++)
            for (int r = 0; r < 3; r++)
            {
                int o = g * 5 + 2 * r;
                Assert.Equal(rowWeights[o], some.RowWeights[g][r]);
                Assert.Equal(weight[(o * N)..((o + 1) * N)], Enumerable.Range(0, N).Select(i => some.Targets[g][i * some.Stride + r]));
            }
    }

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
        LayerTrials trials = Trials(whole);
        double few = trials.Error(D, K), all = trials.Quantize(D, K).RelativeError;
        Assert.NotEqual(all, few);
        Assert.InRange(few, all * 0.9, all * 1.1);
        Assert.Equal(Trials(some).Quantize(D, K).RelativeError, few);
    }

    [Fact]
    public void A_layer_whose_rows_are_all_tried_is_searched_once()
    {
        var backend = new Counting();
        var random = new Random(2);
        float[] hessian = [.. Enumerable.Range(0, 64).Select(i => i % 9 == 0 ? 1f : 0)], weight = [.. Enumerable.Range(0, 32 * 8).Select(_ => random.NextSingle())];
        LayerTrials trials = Trials(new QuadraticObjective(new LayerGeometry(32, 8, 1, null), [hessian], weight, [.. Enumerable.Repeat(1f, 32)]), backend);
        Assert.Equal(trials.Error(4, 8), trials.Quantize(4, 8).RelativeError);
        Assert.Equal(1, backend.Searches);
    }

    private static LayerTrials Trials(QuadraticObjective objective, IQuantizationBackend? backend = null) => new(
        objective, new LayerPlan("layer", "weight", new(objective.Geometry.Rows, objective.Geometry.RowLength), 4, 8, ""), 3, backend ?? new ManagedQuantization(), [], (_, _) => [], CancellationToken.None);

    /// <summary>Counts the searches that are started.</summary>
    private sealed class Counting : IQuantizationBackend
    {
        private readonly ManagedQuantization _own = new();

        public int Searches { get; private set; }

        public WorkerPool? Workers => null;

        public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null) => _own.Moments(geometry, views, origins);

        public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null) => _own.Gram(geometry, blockSize, scale);

        public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook) => _own.Clusters(blocks, blockSize, factor, codebook);

        public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook)
        {
            Searches++;
            return _own.Search(objective, blockSize, codebook);
        }
    }
}
