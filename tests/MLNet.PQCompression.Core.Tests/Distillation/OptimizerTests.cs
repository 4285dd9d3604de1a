using MLNet.PQCompression.Distillation;

namespace MLNet.PQCompression.Tests.Distillation;

public class OptimizerTests
{
    [Fact]
    public void Adam_follows_its_formula()
    {
        var optimizer = new Optimizer(new AdamOptions(0.9, 0.99, 1e-8), [KeyValuePair.Create("w", 1)]);
        float[] w = [1];
        double m = 0, v = 0, expected = 1;
        for (int step = 1; step <= 5; step++)
        {
            float g = 0.3f * step - 0.8f;
            m = 0.9 * m + 0.1 * g;
            v = 0.99 * v + 0.01 * g * g;
            expected -= 0.1 * (m / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v / (1 - Math.Pow(0.99, step))) + 1e-8);
            optimizer.BeginStep();
            optimizer.Move("w", w, [g], 0.1);
        }
        Assert.Equal(expected, w[0], 1e-5);
    }

    [Fact]
    public void A_relative_rate_moves_large_and_small_weights_by_the_same_share()
    {
        var optimizer = new Optimizer(new AdamOptions(Relative: true), [KeyValuePair.Create("large", 2), KeyValuePair.Create("small", 2), KeyValuePair.Create("zero", 2)]);
        float[] large = [3, 4], small = [0.03f, 0.04f], zero = [0, 0];
        optimizer.BeginStep();
        optimizer.Move("large", large, [1, -2], 0.1);
        optimizer.Move("small", small, [10, -20], 0.1);
        optimizer.Move("zero", zero, [1, -2], 0.1);
        float step = 0.1f * 5 / MathF.Sqrt(2); // Adam's first step is the rate itself
        Assert.Equal(3 - step, large[0], 1e-4);
        Assert.Equal(4 + step, large[1], 1e-4);
        Assert.Equal(large[0] / 100, small[0], 1e-6);
        Assert.Equal(large[1] / 100, small[1], 1e-6);
        Assert.Equal(-1e-4, zero[0], 1e-7);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_restored_state_goes_on_bit_identically(bool adam)
    {
        OptimizerOptions options = adam ? new AdamOptions() : new SgdOptions();
        KeyValuePair<string, int>[] parameters = [KeyValuePair.Create("w", 3)];
        var first = new Optimizer(options, parameters);
        float[] w = [1, 2, 3];
        Step(first, w, 2);
        var second = new Optimizer(options, parameters);
        second.SetState(first.GetState());
        float[] copy = [.. w];
        Step(first, w, 3);
        Step(second, copy, 3);
        Assert.Equal(w, copy);
    }

    [Fact]
    public void A_state_of_other_parameters_is_refused()
    {
        OptimizerState state = new Optimizer(new SgdOptions(), [KeyValuePair.Create("w", 3)]).GetState();
        Assert.Throws<ArgumentException>(() => new Optimizer(new SgdOptions(), [KeyValuePair.Create("w", 4)]).SetState(state));
        Assert.Throws<ArgumentException>(() => new Optimizer(new AdamOptions(), [KeyValuePair.Create("w", 3)]).SetState(state));
        Assert.Throws<ArgumentException>(() => new Optimizer(new SgdOptions(), [KeyValuePair.Create("v", 3)]).SetState(state));
    }

    [Fact]
    public void Schedules_start_at_the_base_rate_and_fall()
    {
        Assert.Equal([1, 0.1, 0.01, 0.01], new[] { 0.2, 0.5, 0.7, 1 }.Select(new StepSchedule().Factor).Select(f => Math.Round(f, 9)));
        Assert.Equal(1, new CosineSchedule().Factor(0), 9);
        Assert.Equal(0.5, new CosineSchedule().Factor(0.5), 9);
        Assert.Equal(0, new CosineSchedule().Factor(1), 9);
        Assert.Equal(0.5, new CosineSchedule(0.1).Factor(0.05), 9);
    }

    private static void Step(Optimizer optimizer, float[] w, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            optimizer.BeginStep();
            optimizer.Move("w", w, [.. w.Select(x => x * x - 1)], 0.01);
        }
    }
}
