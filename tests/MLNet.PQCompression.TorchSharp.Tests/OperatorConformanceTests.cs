using System.Collections.Immutable;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.TorchSharp.Evaluation;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Every operator's forward and backward pass, torch against managed.</summary>
public sealed class OperatorConformanceTests : TorchTest
{
    private const int Count = 3;

    public static IEnumerable<object[]> Names => OperatorCases.All.Keys.Select(name => new object[] { name });

    public static IEnumerable<object[]> TrainableNames => OperatorCases.All.Values.Where(c => c.IsTrainable).Select(c => new object[] { c.Name });

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

    [Fact]
    public void Every_operator_that_has_a_counterpart_has_a_case()
    {
        IEnumerable<Type> tried = OperatorCases.All.Values.SelectMany(c => c.Nodes).Select(n => n.Operator.GetType()).Distinct();
        Assert.Equal(TorchOperators.Counterparts.Select(t => t.Name).Order(), tried.Select(t => t.Name).Order());
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
