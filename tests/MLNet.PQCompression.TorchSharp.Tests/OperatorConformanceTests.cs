using System.Collections.Immutable;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Every operator's forward and backward pass, torch against managed.</summary>
public sealed class OperatorConformanceTests : TorchTest
{
    private const int Count = 3;
    private const float Step = 1e-3f;

    public static IEnumerable<object[]> Names => OperatorCases.All.Keys.Select(name => new object[] { name });

    public static IEnumerable<object[]> TrainableNames => OperatorCases.All.Values.Where(c => c.IsTrainable).Select(c => new object[] { c.Name });

    public static IEnumerable<object[]> OtherNames => OperatorCases.All.Values.Where(c => !c.IsTrainable).Select(c => new object[] { c.Name });

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Values_are_the_same(string name)
    {
        OperatorCase of = OperatorCases.All[name];
        ModelGraph graph = of.Graph();
        var images = new Activation(new(Count, of.Image[0], of.Image[1], of.Image[2]), Values(Count * (int)of.Image.Count, 3));
        using INodeEvaluator torch = Torch.Evaluate(graph), managed = Managed.Evaluate(graph);
        IReadOnlyDictionary<string, Activation> expected = managed.Evaluate(graph.Nodes, _ => images, _ => true), actual = torch.Evaluate(graph.Nodes, _ => images, _ => true);
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach ((string value, Activation own) in expected)
        {
            Assert.Equal(own.Shape, actual[value].Shape);
            Close(own.Span, actual[value].Span, 1e-5, value);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(TrainableNames))]
    public void Gradients_are_the_same(string name) => CompareGradients(OperatorCases.All[name], batchStatistics: false, 2e-4);

    [SkippableFact]
    public void Gradients_through_the_statistics_of_the_batch_are_the_same() => CompareGradients(OperatorCases.All["normalization"], batchStatistics: true, 1e-3);

    [SkippableTheory]
    [MemberData(nameof(OtherNames))]
    public void Gradients_are_those_of_differences(string name)
    {
        OperatorCase of = OperatorCases.All[name];
        ModelGraph graph = of.Graph();
        var setup = new TrainingSetup { Trainable = of.Trained.ToImmutableSortedSet(StringComparer.Ordinal) };
        Assert.Throws<UnsupportedOperatorException>(() => Managed.Create(graph, of.Image[0], of.Image[1], of.Image[2], setup)); // else it can be compared with
        using ITrainingModel torch = Torch.Create(graph, of.Image[0], of.Image[1], of.Image[2], setup);
        var batch = new TrainingBatch(Values(Count * (int)of.Image.Count, 3), Count, new TeacherTarget(Values(Count * torch.OutputLength, 4, 2)));
        var random = new Random(5);
        foreach (string parameter in of.Trained)
        {
            double loss = torch.ComputeGradients(batch);
            float[] gradient = torch.DenseGradient(parameter).ToArray(), values = torch.Values(parameter).ToArray();
            double size = Math.Sqrt(gradient.Sum(g => (double)g * g));
            Assert.True(size > 0, $"{parameter} gets no gradient");
            int checks = 0;
            for (int direction = 0; direction < 16; direction++)
            {
                float[] signs = [.. values.Select(_ => (float)(random.Next(2) * 2 - 1))];
                double Moved(float step)
                {
                    torch.SetValues(parameter, [.. values.Zip(signs, (v, s) => v + step * s)]);
                    return torch.ComputeGradients(batch);
                }

                double above = Moved(Step), below = Moved(-Step), numeric = (above - below) / (2 * Step), analytic = gradient.Zip(signs, (g, s) => (double)g * s).Sum();
                if (Math.Abs(above + below - 2 * loss) / Step > 0.03 * size)
                    continue; // a kink or a jump lies between
                checks++;
                Assert.True(Math.Abs(numeric - analytic) <= 0.03 * size, $"{parameter}: {analytic:G4} along a direction where differences give {numeric:G4}; the gradient is of length {size:G3}");
            }
            Assert.True(checks >= 3, $"{parameter}: only {checks} directions could be checked");
            torch.SetValues(parameter, values);
        }
    }

    [Fact]
    public void Every_operator_has_a_case()
    {
        // Foreign nodes run in ONNX Runtime, and a compiled plan alone holds Silu.
        IEnumerable<string> all = typeof(Operator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)) && !t.IsAbstract).Select(t => t.Name).Except([nameof(Foreign), nameof(Silu)]);
        IEnumerable<string> tried = OperatorCases.All.Values.SelectMany(c => c.Nodes).Select(n => n.Operator.GetType().Name).Distinct();
        Assert.Equal(all.Order(), tried.Order());
    }

    [SkippableFact]
    public void Values_of_the_batch_in_parts_are_those_of_the_whole()
    {
        OperatorCase of = OperatorCases.All["maximum, uneven"];
        ModelGraph graph = of.Graph();
        var images = new Activation(new(5, of.Image[0], of.Image[1], of.Image[2]), Values(5 * (int)of.Image.Count, 3));
        using INodeEvaluator torch = Torch.Evaluate(graph);
        Activation whole = torch.Evaluate(graph.Nodes, _ => images, name => name == "y")["y"];
        Torch.Memory.Allocating = size => OutOfMemoryTests.Refuse(size > 2);
        Activation parts = torch.Evaluate(graph.Nodes, _ => images, name => name == "y")["y"];
        Assert.Equal(whole.Shape, parts.Shape);
        Close(whole.Span, parts.Span, 1e-6, "y");
    }

    private void CompareGradients(OperatorCase of, bool batchStatistics, double tolerance)
    {
        ModelGraph graph = of.Graph();
        var setup = new TrainingSetup { Trainable = of.Trained.ToImmutableSortedSet(StringComparer.Ordinal), BatchStatistics = batchStatistics };
        using ITrainingModel torch = Torch.Create(graph, of.Image[0], of.Image[1], of.Image[2], setup), managed = Managed.Create(graph, of.Image[0], of.Image[1], of.Image[2], setup);
        Assert.Equal(managed.OutputLength, torch.OutputLength);
        float[] images = Values(Count * (int)of.Image.Count, 3), teacher = Values(Count * torch.OutputLength, 4, 2);
        var batch = new TrainingBatch(images, Count, new TeacherTarget(teacher));
        double expected = managed.ComputeGradients(batch), actual = torch.ComputeGradients(batch);
        Assert.Equal(expected, actual, 1e-5 * Math.Abs(expected));
        foreach (string name in of.Trained)
        {
            Assert.True(managed.DenseGradient(name).ToArray().Any(g => g != 0), $"{name} gets no gradient");
            Close(managed.DenseGradient(name), torch.DenseGradient(name), tolerance, name);
        }
        Assert.Equal(managed.Parameters, torch.Parameters);
        foreach (string name in managed.Parameters)
            Close(managed.Values(name), torch.Values(name), 1e-5, name);
    }
}
