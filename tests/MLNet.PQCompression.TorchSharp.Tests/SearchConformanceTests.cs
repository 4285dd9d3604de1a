using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>The search for codes under the full quadratic form, torch against managed.</summary>
public sealed class SearchConformanceTests : TorchTest
{
    public static TheoryData<int, int, int, int> Layers => new()
    {
        // groups, rows a group, n, d
        { 1, 70, 36, 9 },
        { 1, 40, 24, 4 },
        { 4, 5, 18, 9 },
        { 6, 1, 9, 9 },
    };

    [SkippableTheory]
    [MemberData(nameof(Layers))]
    public void Step_by_step(int groups, int rowsPerGroup, int n, int d)
    {
        const int k = 6;
        QuadraticObjective objective = Random(groups, rowsPerGroup, n, 1);
        var random = new Random(11);
        float[] codebook = [.. Enumerable.Range(0, k * d).Select(_ => random.NextSingle() - 0.5f)];
        using ICodeSearch torch = Torch.Search(objective, d, codebook), managed = Managed.Search(objective, d, codebook);
        Both("energy", s => s.Energy());
        Both("error of code 0", s => s.Refresh());
        Same("changes of the E-step", s => s.AssignByPosition());
        Assert.Equal(managed.RowMajorCodes(), torch.RowMajorCodes());
        Sums("queries", s => s.SumQueries());
        Sums("curvature", s => s.SumCurvature());
        CodebookSolver.SolveByPosition(managed);
        CodebookSolver.SolveByPosition(torch);
        Close(managed.Codebook, torch.Codebook, 1e-4, "codebook by position");
        torch.SetCodebook(managed.Codebook);
        Both("k-means", s => s.Refresh());
        int[] order = [.. Enumerable.Range(0, n / d)];
        for (int pass = 0; pass < 4; pass++)
        {
            random.Shuffle(order);
            int[] own = [.. order];
            Same($"changes of pass {pass}", s => s.Sweep(own));
            Assert.Equal(managed.RowMajorCodes(), torch.RowMajorCodes());
            Both($"pass {pass}", s => s.Refresh());
        }
        double[] direction = [.. codebook.Select(c => (double)c)];
        Sums("image", s => s.SumImage(direction));
        managed.Step(direction, 0.01);
        torch.Step(direction, 0.01);
        Close(managed.Codebook, torch.Codebook, 1e-5, "codebook after a step");
        Sums("gradient after a step", s => s.SumGradient());
        Both("after a step", s => s.Refresh());
        CodebookSolver.Solve(managed, 30, 1e-6);
        CodebookSolver.Solve(torch, 30, 1e-6);
        Close(managed.Codebook, torch.Codebook, 2e-3, "codebook by least squares");

        void Both(string what, Func<ICodeSearch, double> step)
        {
            double expected = step(managed);
            Assert.True(Math.Abs(expected - step(torch)) <= 1e-4 * Math.Abs(expected), what);
        }

        void Same(string what, Func<ICodeSearch, int> step) => Assert.True(step(managed) == step(torch), what);

        void Sums(string what, Func<ICodeSearch, double[]> sums) => Close(sums(managed), sums(torch), 1e-4, what);
    }

    [SkippableFact]
    public void Perturbations_lower_the_objective_and_never_raise_a_row()
    {
        QuadraticObjective objective = Random(2, 50, 36, 8);
        var random = new Random(3);
        float[] codebook = [.. Enumerable.Range(0, 16 * 9).Select(_ => random.NextSingle() - 0.5f)];
        using ICodeSearch torch = Torch.Search(objective, 9, codebook);
        torch.AssignByPosition();
        torch.Refresh();
        while (torch.Sweep([3, 1, 2, 0]) > 0)
        {
        }
        double settled = torch.Refresh(), value = settled;
        for (int seed = 0; seed < 5; seed++)
        {
            torch.Perturb(0.5f, [seed, seed + 100, seed + 200]);
            double next = torch.Refresh();
            Assert.True(next <= value * (1 + 1e-6));
            value = next;
        }
        Assert.True(value < settled * 0.999, $"{settled} to {value}");
    }

    [SkippableTheory]
    [MemberData(nameof(Layers))]
    public void The_driver_reaches_the_same_objective(int groups, int rowsPerGroup, int n, int d)
    {
        QuadraticObjective objective = Random(groups, rowsPerGroup, n, 5);
        var options = new OutputAwareOptions { Codewords = 4, Seed = 2, Starts = 3 };
        OutputAwareResult expected = OutputAwareQuantizer.Quantize(objective, d, options, Managed), actual = OutputAwareQuantizer.Quantize(objective, d, options, Torch);
        Assert.InRange(actual.RelativeError, 0.9 * expected.RelativeError, 1.1 * expected.RelativeError);
        Assert.All(actual.Codebook, v => Assert.Equal((float)(Half)v, v));
        OutputAwareResult again = OutputAwareQuantizer.Quantize(objective, d, options, Torch);
        Assert.Equal(actual.Codes, again.Codes); // the same seed, the same bits on a CPU
        Assert.Equal(actual.Codebook, again.Codebook);
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
}
