using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Tests.Distillation.GradientCheck;

namespace MLNet.PQCompression.Tests.Distillation;

public sealed class LinearOperationTests
{
    /// <summary>A Gemm whose alpha is 0 gives beta times its bias; found by fuzzing, where it gave NaN.</summary>
    [Fact]
    public void AProductTimesZeroLeavesTheBias()
    {
        float[] bias = Values(7, 11);
        Node[] nodes = [new("flatten", new Flatten(), ["x"], "f"), new("fc", new Gemm(0, 0.5f), ["f", "w", "b"], "y")];
        var graph = new ModelGraph(
            "m", new("x", new(-1, 5, 2, 2)), [new("y", default)], [.. nodes], new Dictionary<string, Initializer> { ["w"] = Tensor(10, 20, 7), ["b"] = new DenseTensor(new(7), bias) });
        using var backend = new ManagedBackend(1);
        using ITrainingModel model = backend.Create(graph, 5, 2, 2, new TrainingSetup { Trainable = ["w", "b"] });
        var outputs = new float[7];
        model.Evaluate(Values(20, 3), 1, outputs);
        Assert.Equal(bias.Select(b => 0.5f * b), outputs);
    }
}
