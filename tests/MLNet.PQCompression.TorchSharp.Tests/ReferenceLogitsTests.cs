using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Published networks, dense and compressed, give on torch the logits that PyTorch gives.</summary>
public sealed class ReferenceLogitsTests : TorchTest
{
    [SkippableTheory]
    [InlineData("resnet-cifar/resnet20-12fca82f.th", "resnet20_input16", "resnet20_logits16")]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth", "imagenet8_input", "resnet18_small_blocks_logits8")]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth", "imagenet8_input", "resnet50_large_blocks_logits8")]
    public void Logits_are_those_of_PyTorch(string model, string input, string logits)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model));
        NpyFile images = NpyFile.Load(SharedData.Require($"reference/{input}.npy"));
        float[] expected = NpyFile.Load(SharedData.Require($"reference/{logits}.npy")).Floats();
        using INodeEvaluator torch = Torch.Evaluate(graph);
        var batch = new Activation(new TensorShape(images.Shape), images.Floats());
        Activation actual = torch.Evaluate(graph.Nodes, _ => batch, name => name == graph.OutputName)[graph.OutputName];
        float scale = expected.Max(MathF.Abs);
        double difference = expected.Zip(actual.Span.ToArray(), (e, a) => Math.Abs(e - a)).Max();
        Assert.True(difference <= 1e-4 * scale, $"{model}: logits of up to {scale} differ by {difference:G3}");
    }
}
