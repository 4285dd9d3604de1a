using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class ScoreTallyTests
{
    [Fact]
    public void Counts_are_those_of_a_sort_with_ties_by_index()
    {
        var random = new Random(1);
        var tally = new ScoreTally();
        int top1 = 0, top5 = 0, agreement = 0;
        for (int image = 0; image < 300; image++)
        {
            // Few distinct values, so that ties are common.
            float[] scores = [.. Enumerable.Range(0, 9).Select(_ => (float)random.Next(4))];
            float[] teacher = [.. Enumerable.Range(0, 9).Select(_ => (float)random.Next(4))];
            int label = random.Next(9);
            int[] order = [.. Enumerable.Range(0, 9).OrderByDescending(c => scores[c]).ThenBy(c => c)];
            int[] teacherOrder = [.. Enumerable.Range(0, 9).OrderByDescending(c => teacher[c]).ThenBy(c => c)];
            top1 += order[0] == label ? 1 : 0;
            top5 += order.AsSpan(0, 5).Contains(label) ? 1 : 0;
            agreement += order[0] == teacherOrder[0] ? 1 : 0;
            tally.Add("x", scores, label, teacher);
        }
        Assert.Equal((300, 300, top1, top5, agreement), (tally.Images, tally.Labelled, tally.Top1, tally.Top5, tally.Agreement));
    }

    [Fact]
    public void Divergence_is_that_of_the_definition()
    {
        // p_t = (1/4, 3/4), p_s = (1/2, 1/2).
        var tally = new ScoreTally();
        tally.Add("x", [700f, 700f], -1, [0f, MathF.Log(3)]);
        double expected = 0.25 * Math.Log(0.25 / 0.5) + 0.75 * Math.Log(0.75 / 0.5);
        Assert.Equal(expected, tally.Divergence, 6);

        var probabilities = new ScoreTally(studentGivesProbabilities: true, teacherGivesProbabilities: true);
        probabilities.Add("x", [0.5f, 0.5f], -1, [0.25f, 0.75f]);
        Assert.Equal(expected, probabilities.Divergence, 6);
        Assert.Equal((1, 0), (probabilities.Images, probabilities.Labelled));
    }

    [Fact]
    public void A_probability_of_zero_gives_a_finite_divergence()
    {
        var tally = new ScoreTally(true, true);
        tally.Add("x", [0f, 1f], -1, [1f, 0f]);
        Assert.InRange(tally.Divergence, 50, 200);
    }

    [Fact]
    public void Scores_that_are_not_numbers_and_labels_out_of_range_are_refused_by_name()
    {
        var tally = new ScoreTally();
        Assert.Contains("cat.png", Assert.Throws<InvalidModelException>(() => tally.Add("cat.png", [float.NaN, 1], 0, [])).Message, StringComparison.Ordinal);
        string message = Assert.Throws<InvalidDataException>(() => tally.Add("cat.png", [0, 1], 7, [])).Message;
        Assert.Contains("cat.png", message, StringComparison.Ordinal);
        Assert.Contains("7", message, StringComparison.Ordinal);
    }
}
