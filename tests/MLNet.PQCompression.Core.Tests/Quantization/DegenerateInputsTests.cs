using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

/// <summary>Layers whose inputs do not vary as inputs should: constant, dead, repeated, far from zero, very large or very small.</summary>
public sealed class DegenerateInputsTests
{
    private const int Inputs = 18, Outputs = 40, BlockSize = 3;

    public static TheoryData<string, Func<int, float, float>> Kinds => new()
    {
        { "ordinary", (_, x) => x },
        { "one constant", (i, x) => i == 4 ? 5.3f : x },
        { "one dead", (i, x) => i == 4 ? 0 : x },
        { "a whole block dead", (i, x) => i is >= 6 and < 9 ? 0 : x },
        { "all but one constant", (i, x) => i == 4 ? x : 0.1f * i },
        { "all constant", (i, _) => 0.7f - i },
        { "far from zero", (i, x) => x + 3000 },
        { "a constant far from zero", (i, x) => i % 2 == 0 ? 12345.678f : x },
        { "scales apart", (i, x) => i % 3 == 0 ? x * 1e-4f : x },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void H_is_positive_definite_and_the_result_serves_other_inputs(string kind, Func<int, float, float> value) => Check(kind, (x, i) => value(i, x[i]));

    [Fact]
    public void Inputs_that_repeat_each_other_do_not_let_codewords_grow() => Check("duplicated", (x, i) => x[i / 2]);

    [Fact]
    public void Inputs_that_nearly_repeat_each_other_do_not_let_codewords_grow() => Check("nearly duplicated", (x, i) => x[i / 2] + 1e-4f * x[i]);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_few_rows_are_enough_to_go_on(int rows)
    {
        (OutputProblem problem, float[] weight) = Problem((x, i) => x[i], rows);
        CheckResult("few rows", problem, weight, OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 16 }));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(-80)]
    public void Very_large_and_very_small_inputs_give_the_codes_of_ordinary_ones(int exponent)
    {
        OutputAwareResult Of(int e)
        {
            float factor = MathF.ScaleB(1, e);
            (OutputProblem problem, _) = Problem((x, i) => factor * x[i], 3000);
            return OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 16 });
        }
        OutputAwareResult ordinary = Of(0), extreme = Of(exponent);
        Assert.Equal(ordinary.Codes, extreme.Codes);
        Assert.Equal(ordinary.RelativeError, extreme.RelativeError, 1e-6);
    }

    [Fact]
    public void A_layer_of_zeros_stays_one()
    {
        (OutputProblem problem, _) = Problem((x, i) => x[i], 500, _ => 0);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 16 });
        Assert.All(result.Codebook, c => Assert.Equal(0, c));
        Assert.Equal(0, result.RelativeError);
    }

    /// <summary>Models whose weights are made by ConstantOfShape, and layers that pruning has left few values: there is nothing to search for once they are met.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Weights_of_few_values_are_met_at_once(int values)
    {
        float[] rows = [.. Enumerable.Range(0, values).Select(v => (float)(Half)(0.02f * (v + 1)))];
        int next = 0;
        (OutputProblem problem, _) = Problem((x, i) => x[i], 3000, _ => rows[next++ / BlockSize % values]);
        var exact = new QuadraticObjective(problem.Objective.Geometry, problem.Objective.Hessians, [.. Enumerable.Range(0, Outputs * Inputs).Select(i => rows[i / BlockSize % values])], [.. Enumerable.Repeat(1f, Outputs)]);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(exact, BlockSize, new() { Codewords = 64, Starts = 6 });
        Assert.InRange(result.RelativeError, 0, 1e-8);
        Assert.InRange(result.Steps.Count, 1, 6); // one start and no further round
    }

    [Theory]
    [InlineData(1e-9f)]
    [InlineData(1e9f)]
    public void Weights_that_float16_does_not_hold_are_scaled_where_the_scale_can_be_absorbed(float size)
    {
        (OutputProblem problem, float[] weight) = Problem((x, i) => x[i], 3000, w => w * size);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 64 });
        Assert.InRange(result.RelativeError, 0, 0.2);
        (double[] scale, _) = problem.FitOutputs(result.Codebook, result.Codes, null);
        for (int o = 0; o < Outputs; o++)
        {
            double error = 0, energy = 0;
            for (int i = 0; i < Inputs; i++)
            {
                double w = weight[o * Inputs + i];
                error += Math.Pow(scale[o] * result.Codebook[result.Codes[(o * Inputs + i) / BlockSize] * BlockSize + i % BlockSize] - w, 2);
                energy += w * w;
            }
            Assert.InRange(error / energy, 0, 0.6);
        }
    }

    [Fact]
    public void A_row_of_zeros_is_met_exactly()
    {
        (OutputProblem problem, float[] weight) = Problem((x, i) => x[i], 3000, zeroRows: 7);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 16 });
        CheckResult("rows of zeros", problem, weight, result);
        (double[] scale, double[] shift) = problem.FitOutputs(result.Codebook, result.Codes, null);
        Assert.All(Enumerable.Range(0, 7), o => Assert.Equal((0.0, 0.0), (scale[o], shift[o])));
        Assert.DoesNotContain(0.0, scale[7..]);
    }

    [Fact]
    public void Values_that_are_not_finite_end_the_work()
    {
        Assert.Throws<NotFiniteNumberException>(() => Problem((x, i) => i == 3 ? float.NaN : x[i], 50));
        Assert.Throws<NotFiniteNumberException>(() => Problem((x, i) => i == 3 ? float.PositiveInfinity : x[i], 50));
        Assert.Throws<NotFiniteNumberException>(() => Cholesky.FactorSmall([1, double.PositiveInfinity, double.PositiveInfinity, 1], 2, 1e-7));
        Assert.Throws<NotFiniteNumberException>(() => Cholesky.FactorSmall([double.PositiveInfinity, 0, 0, 1], 2, 1e-7));
        Assert.Throws<NotFiniteNumberException>(() => Cholesky.FactorSmall([double.NaN, 0, 0, 1], 2, 1e-7));
        Assert.Throws<NotFiniteNumberException>(() => new DriftCorrection([1, float.NaN, float.NaN, 1], [1, 1], [1, 1], 2, null).Solve(0.01));
    }

    private static void Check(string kind, Func<float[], int, float> value)
    {
        (OutputProblem problem, float[] weight) = Problem(value, 3000);
        CheckResult(kind, problem, weight, OutputAwareQuantizer.Quantize(problem.Objective, BlockSize, new() { Codewords = 64 }));
    }

    private static void CheckResult(string kind, OutputProblem problem, float[] weight, OutputAwareResult result)
    {
        float[] hessian = problem.Objective.Hessians[0];
        for (int i = 0; i < Inputs; i++)
            Assert.True(hessian[i * Inputs + i] > 0, $"{kind}: variance {hessian[i * Inputs + i]} of input {i}");
        Assert.True(Cholesky.TryFactorSmall([.. hessian.Select(h => (double)h)], Inputs, 0, new double[Inputs * Inputs]), $"{kind}: H is not positive definite");
        Assert.InRange(result.RelativeError, 0, 0.2);
        Assert.All(result.Codebook, c => Assert.InRange(Math.Abs(c), 0, problem.Objective.Reach));
        // The teacher's weight is met within reach too: nothing of it is lost to directions that the inputs never showed.
        (double[] scale, _) = problem.FitOutputs(result.Codebook, result.Codes, null);
        Assert.All(scale, a => Assert.True(double.IsFinite(a)));
        double error = 0, energy = 0;
        for (int i = 0; i < weight.Length; i++)
        {
            double quantized = scale[i / Inputs] * result.Codebook[result.Codes[i / BlockSize] * BlockSize + i % BlockSize];
            error += Math.Pow(quantized - weight[i], 2);
            energy += (double)weight[i] * weight[i];
        }
        Assert.True(error <= energy, $"{kind}: the weights differ by {error} of {energy}");
    }

    private static (OutputProblem Problem, float[] Weight) Problem(Func<float[], int, float> value, int rows, Func<float, float>? weights = null, int zeroRows = 0)
    {
        var random = new Random(3);
        float[] weight = [.. Enumerable.Range(0, Outputs * Inputs).Select(i => i < zeroRows * Inputs ? 0 : random.NextSingle() - 0.5f).Select(w => weights?.Invoke(w) ?? w)];
        var statistics = new OutputStatistics(new LayerGeometry(Outputs, Inputs));
        const int batch = 250;
        for (int start = 0; start < rows; start += batch)
        {
            int count = Math.Min(batch, rows - start);
            Activation input = new(new(count, Inputs)), output = new(new(count, Outputs));
            for (int r = 0; r < count; r++)
            {
                float[] drawn = [.. Enumerable.Range(0, Inputs).Select(_ => random.NextSingle() * random.NextSingle())];
                for (int i = 0; i < Inputs; i++)
                    input.Span[r * Inputs + i] = value(drawn, i);
            }
            MatrixProduct.Multiply(false, true, count, Outputs, Inputs, input.Span, Inputs, weight, Inputs, 0, output.Span, Outputs);
            statistics.Add(input, output, 1, start, batch: start / batch);
        }
        return (new(statistics, weight, true, true, [.. Enumerable.Repeat(1f, Outputs)], 0.01, true, null), weight);
    }
}
