using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class HeldOutCheckTests
{
    private static readonly TestNetworks.Images Images = new(75);

    [Theory]
    [InlineData(127, 0)]
    [InlineData(128, 32)]
    [InlineData(400, 40)]
    [InlineData(50000, 1000)]
    public void A_tenth_is_held_out_of_enough_images(int images, int heldOut) => Assert.Equal(heldOut, HeldOutCheck.CountOf(images));

    [Fact]
    public void A_network_agrees_with_itself()
    {
        ModelGraph model = TestNetworks.Residual();
        HeldOutReport report = HeldOutCheck.Run(model, model, Images);
        Assert.Equal((75, 75, 0.0), (report.Images, report.Agreement, report.Divergence));
        Assert.Equal((0.0, 0.0), (report.Loss, report.LostShare));
    }

    [Fact]
    public void Classes_are_compared_as_evaluation_does_and_the_worst_come_first()
    {
        ModelGraph teacher = TestNetworks.Residual(), student = TestNetworks.Residual(seed: 2);
        HeldOutReport report = HeldOutCheck.Run(teacher, student, Images, worst: 75);
        EvaluationReport evaluation = ModelEvaluator.Evaluate(student, Images, teacher);
        Assert.Equal(evaluation.Agreement, report.Agreement);
        Assert.Equal(evaluation.Divergence!.Value, report.Divergence!.Value, 9);
        Assert.Equal(75, report.Worst.Count);
        Assert.Equal(report.Worst.Select(w => w.Difference).OrderDescending(), report.Worst.Select(w => w.Difference));
        Assert.Equal(report.Divergence.Value, report.Worst.Average(w => w.Difference), 9);
        Assert.Equal(report.Agreement, report.Worst.Count(w => w.Teacher[0].Class == w.Student[0].Class));
        Assert.Equal(report.Worst.Take(4).Select(w => w.Image), HeldOutCheck.Run(teacher, student, Images, worst: 4).Worst.Select(w => w.Image));
    }

    [Fact]
    public void Several_outputs_count_alike()
    {
        ModelGraph Both(int seed)
        {
            ModelGraph model = TestNetworks.Residual(seed: seed);
            return new(model.Name, model.Input, [.. model.Outputs, new(model.Nodes[^2].Output, new(-1, 16))], model.Nodes, model.Initializers);
        }
        (ModelGraph teacher, ModelGraph student) = (Both(1), Both(2));
        HeldOutReport report = HeldOutCheck.Run(teacher, student, Images);
        Assert.Equal(OutputKind.Features, report.Kind);
        Assert.Equal(OutputAgreement.Compare(teacher, student, Images).Average(o => o.Cosine!.Value), report.Cosine!.Value, 6);
    }

    [Fact]
    public void An_output_whose_length_differs_between_images_is_left_out()
    {
        var comparison = new OutputComparison(OutputKind.Features, false, false, worst: 2);
        comparison.Add("one box", new Dictionary<string, ReadOnlyMemory<float>> { ["boxes"] = new float[] { 1, 0 }, ["map"] = new float[] { 1, 0 } }, new Dictionary<string, ReadOnlyMemory<float>> { ["boxes"] = new float[] { 0, 1 }, ["map"] = new float[] { 1, 0 } });
        comparison.Add("two boxes", new Dictionary<string, ReadOnlyMemory<float>> { ["boxes"] = new float[] { 1, 0, 1, 0 }, ["map"] = new float[] { 1, 0 } }, new Dictionary<string, ReadOnlyMemory<float>> { ["boxes"] = new float[] { 1, 0 }, ["map"] = new float[] { 0, 1 } });
        Assert.Equal((true, 0.5), (comparison.HasComparable, comparison.MeanDifference));
        var boxes = new OutputComparison(OutputKind.Features, false, false);
        boxes.Add("one box", Answer(1, 0), Answer(1, 0));
        boxes.Add("two boxes", Answer(1, 0, 1, 0), Answer(1, 0, 1, 0));
        Assert.False(boxes.HasComparable);
    }

    [Fact]
    public void Features_are_compared_by_their_angle()
    {
        ModelGraph teacher = Features(TestNetworks.Residual()), student = Features(TestNetworks.Residual(seed: 2));
        HeldOutReport report = HeldOutCheck.Run(teacher, student, Images);
        Assert.Equal((OutputKind.Features, null, null), (report.Kind, report.Agreement, report.Divergence));
        Assert.InRange(report.Cosine!.Value, 0.0, 0.99);
        Assert.Equal(1 - report.Cosine.Value, report.Loss, 12);
        Assert.Equal(1, HeldOutCheck.Run(teacher, teacher, Images).Cosine!.Value, 6);
    }

    [Fact]
    public void An_output_that_is_no_number_is_an_error_that_says_whose()
    {
        var comparison = new OutputComparison(OutputKind.Classes, false, false);
        Assert.Contains("the compressed model for image 'cat'", Assert.Throws<InvalidModelException>(() => comparison.Add("cat", Answer(1, 2), Answer(1, float.NaN))).Message, StringComparison.Ordinal);
        Assert.Contains("of the model for image 'cat'", Assert.Throws<InvalidModelException>(() => comparison.Add("cat", Answer(1, float.PositiveInfinity), Answer(1, 2))).Message, StringComparison.Ordinal);
        ModelGraph model = TestNetworks.Residual();
        Assert.Throws<ArgumentException>(() => HeldOutCheck.Run(model, model, new TestNetworks.Images(0)));
    }

    [Fact]
    public void The_interval_is_Wilsons()
    {
        // Newcombe 1998, table I, method 3: 81 of 263 and 15 of 148.
        AssertInterval(0.2553, 0.3662, HeldOutCheck.WilsonInterval(81, 263));
        AssertInterval(0.0624, 0.1605, HeldOutCheck.WilsonInterval(15, 148));

        static void AssertInterval(double low, double high, (double Low, double High) actual)
        {
            Assert.Equal(low, actual.Low, 4);
            Assert.Equal(high, actual.High, 4);
        }
    }

    private static ModelGraph Features(ModelGraph model) => new(
        model.Name, model.Input, [new("features", new(-1, 16))], [.. model.Nodes.TakeWhile(n => n.Operator is not MatMul)],
        model.Initializers.Where(i => !i.Key.StartsWith("fc.", StringComparison.Ordinal)).ToDictionary(i => i.Key, i => i.Value));

    private static Dictionary<string, ReadOnlyMemory<float>> Answer(params float[] values) => new() { ["y"] = values };
}
