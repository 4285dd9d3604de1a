using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class OutputAwareQuantizerTests
{
    [Theory]
    [InlineData(1, 40, 36, 9)]
    [InlineData(1, 70, 24, 4)]
    [InlineData(4, 5, 18, 9)]
    [InlineData(6, 1, 9, 9)] // depthwise
    public void The_objective_never_rises_but_for_the_rounding_of_the_codebook(int groups, int rowsPerGroup, int n, int d)
    {
        QuadraticObjective objective = Random(groups, rowsPerGroup, n, 1);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(objective, d, new OutputAwareOptions { Codewords = 4, Seed = 2 });
        Assert.Contains(result.Steps, s => s.Step == "codebook");
        for (int i = 1; i < result.Steps.Count; i++)
            if (result.Steps[i].Step != "float16")
                Assert.True(result.Steps[i].Objective <= result.Steps[i - 1].Objective * (1 + 1e-5), $"step {i}: {string.Join(", ", result.Steps)}");
        Assert.Equal(BruteForce(objective, result.Codebook, result.Codes, d), result.Steps[^1].Objective, result.Steps[^1].Objective * 1e-4);
        Assert.All(result.Codebook, v => Assert.Equal((float)(Half)v, v));
    }

    [Fact]
    public void A_pass_leaves_no_single_code_that_could_be_better()
    {
        const int d = 3, n = 12, rows = 20, k = 6;
        QuadraticObjective objective = Random(1, rows, n, 3);
        QuantizationState state = Start(objective, d, k);
        state.Refresh(null);
        int[] order = [.. Enumerable.Range(0, n / d)];
        for (int pass = 0; pass < 50 && CoordinateDescent.Pass(state, order, null) > 0; pass++)
        {
        }
        ushort[] codes = state.RowMajorCodes();
        double reached = BruteForce(objective, state.Codebook, codes, d);
        for (int i = 0; i < codes.Length; i++)
        {
            ushort kept = codes[i];
            for (int c = 0; c < k; c++)
            {
                codes[i] = (ushort)c;
                Assert.True(BruteForce(objective, state.Codebook, codes, d) >= reached * (1 - 1e-5), $"block {i} would be better with code {c}");
            }
            codes[i] = kept;
        }
    }

    [Fact]
    public void The_gradient_follows_the_codes()
    {
        QuadraticObjective objective = Random(2, 70, 18, 4);
        QuantizationState state = Start(objective, 9, 8);
        state.Refresh(null);
        Assert.True(CoordinateDescent.Pass(state, [1, 0], null) > 0);
        float[][] kept = [.. state.Gradients.Select(g => g.ToArray())];
        state.Refresh(null);
        for (int g = 0; g < kept.Length; g++)
            for (int i = 0; i < kept[g].Length; i++)
                Assert.Equal(state.Gradients[g][i], kept[g][i], 1e-3);
    }

    [Fact]
    public void Perturbations_lower_the_objective_row_by_row()
    {
        QuadraticObjective objective = Random(1, 100, 36, 8);
        QuantizationState state = Start(objective, 9, 16);
        state.Refresh(null);
        for (int pass = 0; pass < 50 && CoordinateDescent.Pass(state, [3, 1, 2, 0], null) > 0; pass++)
        {
        }
        double settled = state.Refresh(null), value = settled;
        for (int seed = 0; seed < 5; seed++)
        {
            CoordinateDescent.Perturb(state, 0.5f, seed, null);
            double next = state.Refresh(null);
            Assert.True(next <= value * (1 + 1e-6));
            value = next;
        }
        Assert.True(value < settled * 0.999, $"{settled} to {value}");
    }

    [Theory]
    [InlineData(1, 30)]
    [InlineData(3, 10)]
    public void The_codebook_is_the_solution_of_the_normal_equations(int groups, int rowsPerGroup)
    {
        const int d = 3, n = 12, k = 5;
        QuadraticObjective objective = Random(groups, rowsPerGroup, n, 5);
        QuantizationState state = Start(objective, d, k);
        state.Refresh(null);
        CodebookSolver.Solve(new ManagedCodeSearch(state, null), 200, 1e-8);

        double[] expected = NormalEquations(objective, state.RowMajorCodes(), d, k);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], state.Codebook[i], 2e-3);
    }

    /// <summary>The search goes on from what conjugate gradients have kept, without working it out anew.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public void After_the_codebook_s_steps_error_and_gradient_are_those_of_the_codebook(int iterations)
    {
        QuadraticObjective objective = Random(2, 40, 36, 8);
        QuantizationState state = Start(objective, 4, 12);
        double before = state.Refresh(null), fallen = CodebookSolver.Solve(new ManagedCodeSearch(state, null), iterations, 1e-3);
        float[][] kept = [.. state.Gradients.Select(g => g.ToArray())];
        double after = state.Refresh(null), largest = kept.Max(g => g.Max(MathF.Abs));
        Assert.InRange(fallen, before * 0.01, before);
        Assert.Equal(after, before - fallen, before * 1e-5);
        for (int g = 0; g < kept.Length; g++)
            for (int i = 0; i < kept[g].Length; i++)
                Assert.Equal(state.Gradients[g][i], kept[g][i], largest * 1e-5);
    }

    /// <summary>More than two million blocks, and rows that k-means must not look at.</summary>
    [Fact]
    public void The_first_codebook_of_a_layer_with_many_blocks_comes_from_every_few_of_its_rows()
    {
        const int N = 512, D = 2, Rows = 2 * OutputAwareQuantizer.FirstBlocks / (N / D);
        var random = new Random(6);
        var hessian = new float[N * N];
        for (int i = 0; i < N; i++)
            hessian[i * N + i] = 1;
        float[] target = [.. Enumerable.Range(0, Rows * N).Select(i => i / N % 2 == 1 ? 100 : random.NextSingle() - 0.5f)];
        var objective = new QuadraticObjective(new LayerGeometry(Rows, N), [hessian], target, [.. Enumerable.Repeat(1f, Rows)]);
        float[] codebook = OutputAwareQuantizer.FirstCodebook(objective, D, new() { Codewords = 8, InitialIterations = 3 }, new ManagedQuantization(), CancellationToken.None);
        Assert.All(codebook, c => Assert.InRange(c, -0.5f, 0.5f));
        Assert.Equal(8, codebook.Chunk(D).Select(c => (c[0], c[1])).Distinct().Count());
    }

    [Fact]
    public void Results_do_not_depend_on_the_threads()
    {
        QuadraticObjective objective = Random(1, 200, 36, 6);
        using var pool = new WorkerPool(3);
        var options = new OutputAwareOptions { Codewords = 16, Seed = 1 };
        OutputAwareResult one = OutputAwareQuantizer.Quantize(objective, 9, options), three = OutputAwareQuantizer.Quantize(objective, 9, options, new ManagedQuantization(pool));
        Assert.Equal(one.Codes, three.Codes);
        Assert.Equal(one.Codebook, three.Codebook);
    }

    [Fact]
    public void The_full_quadratic_beats_blocks_taken_as_independent()
    {
        QuadraticObjective objective = Random(1, 128, 72, 7);
        OutputAwareResult result = OutputAwareQuantizer.Quantize(objective, 9, new OutputAwareOptions { Codewords = 32 });
        Assert.True(result.Steps[^1].Objective < 0.85 * result.Steps[0].Objective, string.Join(", ", result.Steps));
    }

    private static QuantizationState Start(QuadraticObjective objective, int d, int k)
    {
        LayerGeometry geometry = objective.Geometry;
        var random = new Random(11);
        float[] codebook = [.. Enumerable.Range(0, k * d).Select(_ => random.NextSingle() - 0.5f)];
        ushort[][] codes = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new ushort[geometry.RowLength / d * objective.Stride])];
        for (int g = 0; g < geometry.Groups; g++)
            for (int b = 0; b < geometry.RowLength / d; b++)
                for (int r = 0; r < geometry.RowsPerGroup; r++)
                    codes[g][b * objective.Stride + r] = (ushort)random.Next(k);
        return new(objective, d, codebook, codes);
    }

    /// <summary>H = XᵀX/N of correlated inputs, a random target and random row weights.</summary>
    private static QuadraticObjective Random(int groups, int rowsPerGroup, int n, int seed)
    {
        var random = new Random(seed);
        var geometry = new LayerGeometry(groups * rowsPerGroup, n, groups, Window.Square(1));
        var hessians = new float[groups][];
        for (int g = 0; g < groups; g++)
        {
            hessians[g] = new float[n * n];
            var x = new double[n];
            for (int sample = 0; sample < 4 * n; sample++)
            {
                double common = random.NextDouble();
                for (int i = 0; i < n; i++)
                    x[i] = random.NextDouble() - 0.5 + common * (i % 3);
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++)
                        hessians[g][i * n + j] += (float)(x[i] * x[j] / (4 * n));
            }
        }
        float[] target = [.. Enumerable.Range(0, geometry.Rows * n).Select(_ => random.NextSingle() - 0.5f)];
        return new(geometry, hessians, target, [.. Enumerable.Range(0, geometry.Rows).Select(_ => 0.5f + random.NextSingle())]);
    }

    private static double Target(QuadraticObjective objective, int row, int i) =>
        objective.Targets[row / objective.Geometry.RowsPerGroup][i * objective.Stride + row % objective.Geometry.RowsPerGroup];

    private static double BruteForce(QuadraticObjective objective, float[] codebook, ushort[] codes, int d)
    {
        (int n, int m) = (objective.Geometry.RowLength, objective.Geometry.RowLength / d);
        double sum = 0;
        for (int o = 0; o < objective.Geometry.Rows; o++)
        {
            int g = o / objective.Geometry.RowsPerGroup;
            var e = new double[n];
            for (int i = 0; i < n; i++)
                e[i] = codebook[codes[o * m + i / d] * d + i % d] - Target(objective, o, i);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    sum += objective.RowWeights[g][o % objective.Geometry.RowsPerGroup] * e[i] * objective.Hessians[g][i * n + j] * e[j];
        }
        return sum;
    }

    private static double[] NormalEquations(QuadraticObjective objective, ushort[] codes, int d, int k)
    {
        (int n, int m, int size) = (objective.Geometry.RowLength, objective.Geometry.RowLength / d, k * d);
        var matrix = new double[size * size];
        var right = new double[size];
        for (int o = 0; o < objective.Geometry.Rows; o++)
        {
            int g = o / objective.Geometry.RowsPerGroup;
            double weight = objective.RowWeights[g][o % objective.Geometry.RowsPerGroup];
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                {
                    double h = weight * objective.Hessians[g][i * n + j];
                    int p = codes[o * m + i / d] * d + i % d, q = codes[o * m + j / d] * d + j % d;
                    matrix[p * size + q] += h;
                    right[p] += h * Target(objective, o, j);
                }
        }
        double[] factor = Cholesky.FactorSmall(matrix, size, 0);
        Cholesky.SolveSmall(factor, size, right);
        return right;
    }
}
