using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

public sealed class DriftCorrectionTests
{
    private const int Inputs = 12, Outputs = 3;

    [Fact]
    public void The_change_solves_the_damped_normal_equations()
    {
        Rows rows = new(40, drift: 0.3f, seed: 1);
        const double damping = 0.05;
        float[] change = rows.Correction().Solve(damping);
        double mean = Enumerable.Range(0, Inputs).Average(i => rows.Hessian[i * Inputs + i]);
        for (int i = 0; i < Inputs; i++)
            for (int o = 0; o < Outputs; o++)
            {
                double left = damping * mean * change[i * Outputs + o], right = rows.Products[i * Outputs + o];
                for (int j = 0; j < Inputs; j++)
                {
                    left += rows.Hessian[i * Inputs + j] * change[j * Outputs + o];
                    right -= rows.Hessian[i * Inputs + j] * rows.Weight[o * Inputs + j];
                }
                Assert.Equal(right, left, 1e-5);
            }
    }

    [Fact]
    public void The_change_of_the_error_is_that_of_the_outputs()
    {
        Rows rows = new(40, drift: 0.3f, seed: 1), others = new(30, drift: 0.3f, seed: 2);
        float[] weights = [1, 0.5f, 2], change = rows.Correction().Solve(0.1);
        float[] changed = [.. others.Weight.Select((w, i) => w + change[i % Inputs * Outputs + i / Inputs])];
        Assert.Equal(others.Error(changed, weights) - others.Error(others.Weight, weights), others.Correction().ErrorChange(change, weights), 1e-5);
    }

    [Fact]
    public void Some_outputs_have_the_changes_that_they_have_among_all()
    {
        Rows rows = new(40, drift: 0.3f, seed: 1);
        float[] all = rows.Correction().Solve(0.1), some = DriftCorrection.BySome(2, rows.Hessian, rows.Products, rows.Weight, Inputs, null).Solve(0.1);
        Assert.Equal(Inputs * 2, some.Length);
        for (int i = 0; i < Inputs; i++)
            for (int o = 0; o < 2; o++)
                Assert.Equal(all[i * Outputs + 2 * o], some[i * 2 + o], 1e-5);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(255, 1)]
    [InlineData(256, 2)]
    [InlineData(1000, 7)]
    public void A_damping_is_chosen_from_at_least_128_outputs(int rows, int step)
    {
        Assert.Equal(step, DriftCorrection.TrialStep(rows));
        Assert.InRange((rows + step - 1) / step, Math.Min(rows, 128), 255);
    }

    [Fact]
    public void A_drift_that_all_images_share_is_undone_as_far_as_it_can_be() => Assert.Equal(0.01, Damping(2000, drift: 0.3f, noise: 0));

    [Fact]
    public void A_drift_that_is_each_row_s_own_is_left_alone() => Assert.InRange(Damping(40, drift: 0, noise: 0.5f), 1, 100);

    /// <summary>What is tried lies ten times apart; what is chosen is where the gain reaches 95% of the largest, halved, which a fine search finds too.</summary>
    [Fact]
    public void A_damping_between_those_that_are_tried_is_interpolated()
    {
        const int Count = 60;
        const float Drift = 0.15f, Noise = 0.3f;
        float[] weights = [1, 1, 1];
        DriftCorrection first = new Rows(Count, Drift, seed: 1, Noise).Correction(), second = new Rows(Count, Drift, seed: 2, Noise).Correction();
        double Error(double damping) => second.ErrorChange(first.Solve(damping), weights) + first.ErrorChange(second.Solve(damping), weights);
        double[] fine = [.. Enumerable.Range(0, 160).Select(i => 0.01 * Math.Pow(10, i / 40.0))];
        double best = fine.Min(Error), expected = fine.First(d => Error(d) <= 0.95 * best) / 2;
        Assert.True(best < 0);
        Assert.InRange(expected, 0.02, 5);
        Assert.InRange(DriftCorrection.ChooseDamping([(first, second)], weights, 0.01), expected / 2, expected * 2);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Inputs_beyond_numbers_correct_nothing(float value)
    {
        Rows rows = new(40, drift: 0.3f, seed: 1);
        Array.Fill(rows.Hessian, value);
        DriftCorrection broken = rows.Correction();
        Assert.All(broken.Solve(0.1), change => Assert.Equal(0, change));
        Assert.Equal(0.01, DriftCorrection.ChooseDamping([(broken, broken)], new float[] { 1, 1, 1 }, 0.01));
    }

    private static double Damping(int count, float drift, float noise) => DriftCorrection.ChooseDamping(
        [(new Rows(count, drift, seed: 1, noise).Correction(), new Rows(count, drift, seed: 2, noise).Correction())], new float[] { 1, 1, 1 }, 0.01);

    /// <summary>Rows x and y = (W + drift)x + noise.</summary>
    private sealed class Rows
    {
        private readonly float[][] _x, _y;

        public Rows(int count, float drift, int seed, float noise = 0)
        {
            var shared = new Random(100);
            Weight = [.. Enumerable.Range(0, Inputs * Outputs).Select(_ => shared.NextSingle() - 0.5f)];
            float[] drifted = [.. Weight.Select(w => w + drift * (shared.NextSingle() - 0.5f))];
            var random = new Random(seed);
            _x = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Inputs).Select(_ => random.NextSingle() - 0.5f).ToArray())];
            _y = [.. _x.Select(x => Enumerable.Range(0, Outputs).Select(o => Enumerable.Range(0, Inputs).Sum(i => drifted[o * Inputs + i] * x[i]) + noise * (random.NextSingle() - 0.5f)).ToArray())];
            Hessian = [.. Enumerable.Range(0, Inputs * Inputs).Select(p => _x.Average(x => x[p / Inputs] * x[p % Inputs]))];
            Products = [.. Enumerable.Range(0, Inputs * Outputs).Select(p => _x.Zip(_y).Average(r => r.First[p / Outputs] * r.Second[p % Outputs]))];
        }

        public float[] Weight { get; }

        public float[] Hessian { get; }

        public float[] Products { get; }

        public DriftCorrection Correction() => new(Hessian, Products, Weight, Inputs, null);

        public double Error(float[] weight, float[] rowWeights) => _x.Zip(_y).Average(r => Enumerable.Range(0, Outputs).Sum(o =>
            rowWeights[o] * Math.Pow(r.Second[o] - Enumerable.Range(0, Inputs).Sum(i => (double)weight[o * Inputs + i] * r.First[i]), 2)));
    }
}
