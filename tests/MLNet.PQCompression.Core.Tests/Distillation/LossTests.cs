using MLNet.PQCompression.Distillation;

namespace MLNet.PQCompression.Tests.Distillation;

public class LossTests
{
    private static readonly float[] Student = [1.5f, -0.3f, 0.7f, -2, 0.1f, 4];
    private static readonly float[] Teacher = [0.5f, 0.4f, -1, 1, 2, 3];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Divergence_and_its_gradient(float temperature)
    {
        var target = new TeacherTarget(Teacher, temperature);
        double expected = 0;
        for (int n = 0; n < 2; n++)
        {
            double[] p = Softmax(Teacher, n, temperature), q = Softmax(Student, n, temperature);
            expected += p.Zip(q, (a, b) => a * Math.Log(a / b)).Sum() * temperature * temperature / 2;
        }
        Assert.Equal(expected, Loss.Compute(Student, 2, target, new float[6]), 1e-6);
        AssertGradient(target);
    }

    [Fact]
    public void Cross_entropy_and_its_gradient()
    {
        var target = new LabelTarget(new[] { 2, 0 });
        Assert.Equal(-(Math.Log(Softmax(Student, 0, 1)[2]) + Math.Log(Softmax(Student, 1, 1)[0])) / 2, Loss.Compute(Student, 2, target, new float[6]), 1e-6);
        AssertGradient(target);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void Squared_differences_and_their_gradient(int weights)
    {
        float[] weight = [.. Enumerable.Range(1, weights).Select(i => i * 0.3f)];
        var target = new OutputTarget(Teacher, weight);
        Assert.Equal(Enumerable.Range(0, 6).Sum(i => weight[i % weights] * Math.Pow(Student[i] - Teacher[i], 2)) / 2, Loss.Compute(Student, 2, target, new float[6]), 1e-5);
        AssertGradient(target);
        Assert.Throws<ArgumentException>(() => Loss.Compute(Student, 2, new OutputTarget(Teacher, new float[2]), new float[6]));
    }

    [Fact]
    public void A_student_like_its_teacher_has_no_loss()
    {
        var gradient = new float[6];
        Assert.Equal(0, Loss.Compute(Teacher, 2, new TeacherTarget(Teacher), gradient), 1e-7);
        Assert.All(gradient, g => Assert.Equal(0, g, 1e-7));
    }

    [Fact]
    public void Extreme_logits_stay_finite()
    {
        var gradient = new float[2];
        double loss = Loss.Divergence([-800, 800], [800, -800], 1, 1, gradient);
        Assert.Equal(1600, loss, 1e-3);
        Assert.Equal([-1f, 1f], gradient);
    }

    [Fact]
    public void An_unknown_label_is_refused()
    {
        var e = Assert.Throws<ArgumentException>(() => Loss.CrossEntropy(Student, [1, -1], 2, new float[6]));
        Assert.Contains("-1", e.Message, StringComparison.Ordinal);
    }

    private static void AssertGradient(TrainingTarget target)
    {
        var gradient = new float[6];
        Loss.Compute(Student, 2, target, gradient);
        for (int i = 0; i < 6; i++)
        {
            float[] above = [.. Student], below = [.. Student];
            above[i] += 1e-2f;
            below[i] -= 1e-2f;
            double numeric = (Loss.Compute(above, 2, target, new float[6]) - Loss.Compute(below, 2, target, new float[6])) / (above[i] - below[i]);
            Assert.Equal(numeric, gradient[i], target is OutputTarget ? 2e-3 : 1e-4);
        }
    }

    private static double[] Softmax(float[] logits, int row, float temperature)
    {
        double[] e = [.. logits.Skip(row * 3).Take(3).Select(x => Math.Exp(x / temperature))];
        return [.. e.Select(x => x / e.Sum())];
    }
}
