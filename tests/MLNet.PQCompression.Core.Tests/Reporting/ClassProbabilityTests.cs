using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class ClassProbabilityTests
{
    [Fact]
    public void The_likeliest_classes_come_first_with_their_softmax()
    {
        IReadOnlyList<ClassProbability> best = ClassProbability.Best([0f, MathF.Log(2), MathF.Log(5)], 2);
        Assert.Equal([2, 1], best.Select(p => p.Class));
        Assert.Equal(5 / 8.0, best[0].Probability, 6);
        Assert.Equal(2 / 8.0, best[1].Probability, 6);
    }

    [Fact]
    public void Probabilities_stay_what_they_are_and_ties_go_by_index()
    {
        IReadOnlyList<ClassProbability> best = ClassProbability.Best([0.25f, 0.5f, 0.25f], 10, areProbabilities: true);
        Assert.Equal([1, 0, 2], best.Select(p => p.Class));
        Assert.Equal(0.5, best[0].Probability, 6);
        Assert.Empty(ClassProbability.Best([], 5));
    }
}
