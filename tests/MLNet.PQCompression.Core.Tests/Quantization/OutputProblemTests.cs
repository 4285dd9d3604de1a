using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class OutputProblemTests
{
    private static readonly Window Window = Window.Square(3, 2, 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Moments_are_those_of_the_unfolded_inputs(int groups)
    {
        var geometry = new LayerGeometry(6, 4 / groups * 9, groups, Window);
        Activation input = Random(new(3, 4, 7, 7), 1), output = Random(new(3, 6, 4, 4), 2);
        var statistics = new OutputStatistics(geometry);
        statistics.Add(input, output, int.MaxValue, 0);
        Assert.Equal(3 * 16, statistics.Count);
        Assert.Equal(16, statistics.Halves[0].Count); // one image of three

        for (int g = 0; g < groups; g++)
        {
            (double[][] x, double[][] y) = Unfold(input, output, geometry, g);
            int n = geometry.RowLength;
            for (int i = 0; i < n; i++)
            {
                Assert.Equal(x.Average(r => r[i]), statistics.InputMean(g, i), 1e-5);
            }
            for (int o = 0; o < geometry.RowsPerGroup; o++)
                Assert.Equal(y.Average(r => r[o]), statistics.OutputMean(g * geometry.RowsPerGroup + o), 1e-5);
            MomentSums all = statistics.Halves[0];
            all.Average(g, isCentered: false, null);
            statistics.Halves[1].Average(g, isCentered: false, null);
            all.Merge(statistics.Halves[1], g, isCentered: false, null);
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                    Assert.Equal(x.Average(r => r[i] * r[j]), all.Inputs[g][i * n + j], 1e-5);
                for (int o = 0; o < geometry.RowsPerGroup; o++)
                    Assert.Equal(x.Zip(y, (r, s) => r[i] * s[o]).Average(), all.Products[g][i * geometry.RowsPerGroup + o], 1e-5);
            }
        }
    }

    [Fact]
    public void A_part_of_the_positions_is_a_part_of_every_image()
    {
        var geometry = new LayerGeometry(6, 36, 1, Window);
        Activation input = Random(new(3, 4, 7, 7), 1), output = Random(new(3, 6, 4, 4), 2);
        OutputStatistics some = new(geometry), again = new(geometry), other = new(geometry);
        some.Add(input, output, 5, 7);
        again.Add(input, output, 5, 7);
        other.Add(input, output, 5, 8);
        Assert.Equal(15, some.Count);
        Assert.Equal(some.Halves[0].Inputs[0], again.Halves[0].Inputs[0]);
        Assert.NotEqual(some.Halves[0].Inputs[0], other.Halves[0].Inputs[0]);
    }

    /// <summary>The halves' means differ, so that their covariances alone would not do.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void H_is_that_of_both_halves_together(bool isCentered)
    {
        Activation input = Random(new(30, 8), 3), output = Random(new(30, 2), 4);
        for (int i = 0; i < 15 * 8; i++)
            input.Span[i] += 2;
        var statistics = new OutputStatistics(new LayerGeometry(2, 8));
        statistics.Add(input, output, 1, 0);
        var problem = new OutputProblem(statistics, new float[16], isCentered, false, [1, 1], 0.01, false, null);
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++)
                Assert.Equal(Moment(i, j) - (isCentered ? Moment(i, -1) * Moment(j, -1) : 0), problem.Objective.Hessians[0][i * 8 + j], 3e-5);
        double Moment(int i, int j) => Enumerable.Range(0, 30).Average(r => (double)input.Span[r * 8 + i] * (j < 0 ? 1 : input.Span[r * 8 + j]));
    }

    [Fact]
    public void Where_the_teacher_is_linear_in_the_inputs_its_weight_is_the_target()
    {
        (OutputStatistics statistics, float[] weight, _) = Linear(shift: 3);
        var problem = new OutputProblem(statistics, new float[weight.Length], true, false, [1, 1, 1], 1e-7, false, null);
        for (int i = 0; i < weight.Length; i++)
            Assert.Equal(weight[i], problem.Objective.Targets[0][i % 8 * problem.Objective.Stride + i / 8], 1e-3);
    }

    [Fact]
    public void Scale_and_shift_of_the_outputs_are_the_least_squares_fit()
    {
        (OutputStatistics statistics, float[] weight, _) = Linear(shift: 3);
        var problem = new OutputProblem(statistics, weight, true, true, [1, 1, 1], 0.01, false, null);
        double mean = Enumerable.Range(0, 3).Average(Length);
        float[] codebook = [.. weight.Select((w, i) => w / 1.25f * (float)(mean / Length(i / 8)))];
        ushort[] codes = [.. Enumerable.Range(0, weight.Length / 4).Select(i => (ushort)i)];
        (double[] scale, double[] shift) = problem.FitOutputs(codebook, codes, null);
        for (int o = 0; o < 3; o++)
            Assert.Equal(1.25 * Length(o) / mean, scale[o], 1e-3);
        Assert.All(shift, c => Assert.Equal(3, c, 1e-3));

        (statistics, _, _) = Linear(shift: 3);
        var unscaled = new OutputProblem(statistics, weight, true, false, [1, 1, 1], 0.01, false, null);
        Assert.All(unscaled.FitOutputs(codebook, codes, null).Scale, a => Assert.Equal(1, a));

        double Length(int o) => Math.Sqrt(weight.AsSpan(o * 8, 8).ToArray().Sum(w => (double)w * w));
    }

    private static (OutputStatistics Statistics, float[] Weight, Activation Input) Linear(float shift)
    {
        Activation input = Random(new(200, 8), 3);
        float[] weight = Random(new(3, 8), 4).Span.ToArray();
        var output = new Activation(new(200, 3));
        for (int r = 0; r < 200; r++)
            for (int o = 0; o < 3; o++)
            {
                output.Span[r * 3 + o] = shift;
                for (int i = 0; i < 8; i++)
                    output.Span[r * 3 + o] += weight[o * 8 + i] * input.Span[r * 8 + i];
            }
        var statistics = new OutputStatistics(new LayerGeometry(3, 8));
        statistics.Add(input, output, 1, 0);
        return (statistics, weight, input);
    }

    private static (double[][] X, double[][] Y) Unfold(Activation input, Activation output, LayerGeometry geometry, int group)
    {
        int channels = 4 / geometry.Groups, rows = geometry.RowsPerGroup;
        var x = new List<double[]>();
        var y = new List<double[]>();
        for (int image = 0; image < 3; image++)
            for (int p = 0; p < 16; p++)
            {
                var patch = new double[geometry.RowLength];
                for (int i = 0; i < patch.Length; i++)
                {
                    (int c, int row, int column) = (i / 9, p / 4 * 2 - 1 + i % 9 / 3, p % 4 * 2 - 1 + i % 3);
                    if (row is >= 0 and < 7 && column is >= 0 and < 7)
                        patch[i] = input.Span[((image * 4 + group * channels + c) * 7 + row) * 7 + column];
                }
                x.Add(patch);
                y.Add([.. Enumerable.Range(0, rows).Select(o => (double)output.Span[(image * 6 + group * rows + o) * 16 + p])]);
            }
        return ([.. x], [.. y]);
    }

    private static Activation Random(TensorShape shape, int seed)
    {
        var random = new Random(seed);
        var activation = new Activation(shape);
        foreach (ref float v in activation.Span)
            v = random.NextSingle() - 0.3f;
        return activation;
    }
}
