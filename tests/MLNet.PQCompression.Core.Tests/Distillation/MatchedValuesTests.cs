using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>What a student of a network without class scores is held to, and that it learns.</summary>
public sealed class MatchedValuesTests : FinetunerFixture
{
    private static readonly DistillationOptions Options = new()
    {
        LayerSteps = 0, Epochs = 6, BatchSize = 8, Optimizer = new AdamOptions(), GlobalRate = new(0.005, new CosineSchedule()), TrainUncompressed = true, Augmentation = Augmentation.None, BatchStatistics = false,
    };

    [Fact]
    public void A_detector_is_matched_where_its_outputs_are_still_linear() =>
        Assert.Equal(["box1", "score1", "box2", "score2"], MatchedValues.Part(TinyDetector.Teacher).Outputs.Select(o => o.Name));

    [Fact]
    public void What_foreign_nodes_read_is_matched_and_what_lies_behind_them_is_left_out()
    {
        ModelGraph part = MatchedValues.Part(TinyDetector.WithForeignNodes);
        Assert.Equal(["coarse", "box1", "score1", "box2", "score2"], part.Outputs.Select(o => o.Name));
        Assert.False(part.Initializers.ContainsKey("last.weight"));
        Assert.DoesNotContain(part.Nodes, n => n.Operator is Foreign);
    }

    [Fact]
    public void Training_begins_with_what_the_first_layer_reads()
    {
        ModelGraph part = CodebookFinetuner.PartToMatch(TinyDetector.BehindForeignNodes)!;
        Assert.Equal(("prepared", 5), (part.Input.Name, part.Outputs.Length));
        Assert.Contains("'prepared'", Assert.Throws<InvalidModelException>(() => new CodebookFinetuner(Backend, TinyDetector.BehindForeignNodes, Images, Options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Features_are_matched_as_they_come_out()
    {
        ModelGraph features = new(
            "features", TinyNetwork.Teacher.Input, [new("l", new(-1, 16))], [.. TinyNetwork.Teacher.Nodes.Take(12)],
            TinyNetwork.Teacher.Initializers.Where(i => !i.Key.StartsWith("fc", StringComparison.Ordinal)).ToDictionary());
        Assert.Equal(["k"], CodebookFinetuner.PartToMatch(features)!.Outputs.Select(o => o.Name));
        Assert.Null(CodebookFinetuner.PartToMatch(TinyNetwork.Teacher));
        KeyValuePair<string, string> names = ClassNames.ToMetadata(ClassNames.Numbers(16)); // as of a classifier that ends with a pool
        Assert.Null(CodebookFinetuner.PartToMatch(features.WithMetadata(features.Metadata.SetItem(names.Key, names.Value))));
    }

    [Fact]
    public void A_network_without_layers_before_its_foreign_nodes_is_refused()
    {
        ModelGraph graph = new("foreign", new("image", new(-1, 3, 12, 12)), [new("y", default)], [new("node", new Foreign("If", "", "it runs graphs"), ["image"], "y")], new Dictionary<string, Initializer>());
        Assert.Contains("--epochs 0", Assert.Throws<InvalidModelException>(() => MatchedValues.Part(graph)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_student_comes_nearer_to_its_teacher(bool foreign)
    {
        ModelGraph teacher = foreign ? TinyDetector.WithForeignNodes : TinyDetector.Teacher, student = TinyDetector.Student(teacher);
        using var finetuner = new CodebookFinetuner(Backend, teacher, Images, Options);
        ModelGraph tuned = finetuner.FinetuneGlobal(student);
        Assert.Equal(teacher.Nodes, tuned.Nodes);
        double before = Distance(teacher, student), after = Distance(teacher, tuned);
        Assert.True(after < 0.6 * before, $"{before} became {after}");
        var weight = (QuantizedTensor)tuned.Initializers["down.weight"];
        Assert.Equal(((QuantizedTensor)student.Initializers["down.weight"]).Codes.ToArray(), weight.Codes.ToArray());
        Assert.All(weight.Codebook.ToArray(), v => Assert.Equal((float)(Half)v, v));
    }

    [Fact]
    public void Single_layers_learn_too_and_those_behind_foreign_nodes_stay()
    {
        ModelGraph teacher = TinyDetector.WithForeignNodes, student = TinyDetector.Student(teacher);
        student = student.WithInitializers([KeyValuePair.Create<string, Initializer>("last.weight", new QuantizedTensor(teacher.Initializers["last.weight"].Shape, 9, new float[18], new ushort[60]))]);
        using var finetuner = new CodebookFinetuner(Backend, teacher, Images, Options with { LayerSteps = 20, LayerRate = new(0.005, new ConstantSchedule()) });
        Assert.Same(student, finetuner.FinetuneLayer(student, "last.weight"));
        Assert.True(Distance(teacher, finetuner.FinetuneLayer(student, "down.weight")) < Distance(teacher, student));
    }

    [Fact]
    public void Positions_count_by_the_best_score_there_and_scores_by_their_doubt()
    {
        MatchedPart part = MatchedValues.Find(TinyDetector.Teacher);
        Assert.Equal(["score1", "score2"], part.Scores.Order());
        using ITrainingModel model = Backend.Create(part.Graph, 3, 12, 12, TrainingSetup.Frozen);
        var weights = new MatchedWeights(model, part, Images, new(null), CancellationToken.None);
        var values = new float[2 * model.OutputLength]; // box1 4·36, score1 3·36, box2 4·9, score2 3·9
        Array.Fill(values, -20);
        values[4 * 36 + 36 + 5] = 20; // the second score of the sixth cell, in the first image
        values[4 * 36 + 7] = 0; // the first of the eighth cell: as likely as not
        ReadOnlySpan<float> actual = weights.Of(values).Span;
        Assert.Equal(values.Length, actual.Length);
        for (int i = 0; i < model.OutputLength; i++)
            Assert.Equal((i < 4 * 36, i % 36) switch { (true, 5) => 1 / 0.03f, (true, 7) => 0.515f / 0.03f, _ => i == 4 * 36 + 7 ? 100 : 1 }, actual[i] / actual[model.OutputLength + i], 1e-2f);
    }

    [Fact]
    public void Each_map_has_the_same_say()
    {
        MatchedPart part = MatchedValues.Find(TinyDetector.Teacher);
        using ITrainingModel model = Backend.Create(part.Graph, 3, 12, 12, TrainingSetup.Frozen);
        var weights = new MatchedWeights(model, part, Images, new(null), CancellationToken.None);
        // A student that gives each channel's mean, as the map's positions count, is off by what the teacher varies: by one in all, a quarter for each of four maps.
        float[] images = [.. Enumerable.Range(0, Images.Count).SelectMany(i => Images.Image(i).ToArray())], values = new float[Images.Count * model.OutputLength];
        model.Evaluate(images, Images.Count, values);
        float[] counted = weights.Of(values).ToArray();
        int[] channels = [.. Enumerable.Repeat(36, 7), .. Enumerable.Repeat(9, 7)], map = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3];
        var shares = new double[4];
        for (int c = 0, start = 0; c < channels.Length; start += channels[c++])
        {
            int[] places = [.. from n in Enumerable.Range(0, Images.Count) from i in Enumerable.Range(start, channels[c]) select n * model.OutputLength + i];
            double mean = places.Sum(p => (double)counted[p] * values[p]) / places.Sum(p => (double)counted[p]);
            shares[map[c]] += places.Sum(p => counted[p] * (values[p] - mean) * (values[p] - mean)) / Images.Count;
        }
        Assert.All(shares, s => Assert.InRange(s, 0.15, 0.2501)); // less where a channel hardly varies
        Assert.Equal(0.25, shares[1], 1e-3);
    }

    /// <summary>The mean squared difference of the matched values.</summary>
    private double Distance(ModelGraph teacher, ModelGraph student)
    {
        using ITrainingModel one = Backend.Create(MatchedValues.Part(teacher), 3, 12, 12, TrainingSetup.Frozen), other = Backend.Create(MatchedValues.Part(student), 3, 12, 12, TrainingSetup.Frozen);
        float[] images = [.. Enumerable.Range(0, 8).SelectMany(i => Images.Image(i).ToArray())], expected = new float[8 * one.OutputLength], actual = new float[expected.Length];
        one.Evaluate(images, 8, expected);
        other.Evaluate(images, 8, actual);
        return expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Average();
    }
}
