using System.Globalization;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests.Distillation;
using TorchSharp;
using TorchSharpTraining;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>The sample that trains with TorchSharp and compresses from memory.</summary>
public sealed class TrainingSampleTests : TorchTest
{
    [SkippableFact]
    public void Its_network_learns_and_is_the_architecture_that_is_known()
    {
        _ = Torch;
        manual_seed(1);
        using var network = new ResNet20(5);
        TrainingSet images = TinyNetwork.Images(64, labels: true);
        var losses = new List<float>();
        Trainer.Train(network, images, epochs: 12, (_, _, loss) => losses.Add(loss));
        Assert.Equal(24, losses.Count);
        Assert.True(losses[^1] < 0.9 * losses[0], $"the loss went from {losses[0]} to {losses[^1]}");

        network.eval();
        ModelGraph graph = TorchModule.ToGraph(network);
        Assert.Equal("resnet20", graph.Name);
        float[] pixels = GradientCheck.Values(2 * 3 * 32 * 32, 3);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Close(network.call(tensor(pixels, [2, 3, 32, 32])).Download(), new NodeEvaluator(graph).EvaluateAll(new Activation(new(2, 3, 32, 32), pixels))[0].Span, 1e-4, "logits");
    }

    [SkippableFact]
    [Trait("Category", "Slow")]
    public void It_ends_with_a_small_file_that_is_as_right_as_the_network()
    {
        _ = Torch;
        TextWriter console = Console.Out;
        var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            typeof(ResNet20).Assembly.EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
        }
        int[] Row(string name) => [.. output.ToString().Split('\n').Single(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        (int[] teacher, int[] student) = (Row("teacher"), Row("student"));
        Assert.Equal((2000, 2000), (teacher[1], student[1]));
        Assert.True(teacher[0] > 600, $"{teacher[0]} of 2000 right"); // 200 by chance; 889 were seen
        Assert.True(student[0] > teacher[0] - 60, $"{student[0]} of 2000 right where the network has {teacher[0]}");
    }
}
