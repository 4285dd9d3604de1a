using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Formats.Onnx;
using Xunit.Abstractions;

namespace MLNet.PQCompression.Tests.Formats;

/// <summary>Weights as read here give the logits that PyTorch gives, before and after a round trip through ONNX.</summary>
public class ReferenceLogitsTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("resnet-cifar/resnet20-12fca82f.th", "resnet20_input16", "resnet20_logits16")]
    [InlineData("resnet-cifar/resnet20.safetensors", "resnet20_input16", "resnet20_logits16")]
    [InlineData("resnet-cifar/resnet56-4bfd9763.th", "resnet20_input16", "resnet56_logits16")]
    [InlineData("resnet-cifar/resnet56.safetensors", "resnet20_input16", "resnet56_logits16")]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth", "imagenet8_input", "resnet18_small_blocks_logits8")]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth", "imagenet8_input", "resnet50_large_blocks_logits8")]
    public void Logits_are_those_of_PyTorch(string model, string input, string logits)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model));
        NpyFile images = NpyFile.Load(SharedData.Require($"reference/{input}.npy"));
        float[] expected = NpyFile.Load(SharedData.Require($"reference/{logits}.npy")).Floats();
        var file = new MemoryStream();
        OnnxWriter.Write(graph, file);
        double direct = Logits.Difference(expected, Logits.Run(graph, images));
        // The file's logits for the first two images are enough: nothing of it depends on the batch.
        int[] two = [2, .. images.Shape[1..]];
        float[] part = images.Floats()[..two.Aggregate((p, d) => p * d)];
        double written = Logits.Difference(expected[..(2 * expected.Length / images.Shape[0])], Logits.Run(OnnxReader.Read(file.ToArray(), "written"), part, two));
        output.WriteLine($"{model}: {direct:e2} direct, {written:e2} through ONNX, {file.Length} bytes");
        Assert.InRange(direct, 0, Logits.Tolerance);
        Assert.InRange(written, 0, Logits.Tolerance);
    }

    [SkippableTheory]
    [InlineData("resnet-cifar/resnet56.safetensors", "resnet20_input16", "resnet56_logits16")]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth", "imagenet8_input", "resnet18_small_blocks_logits8")]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth", "imagenet8_input", "resnet50_large_blocks_logits8")]
    public void ONNX_Runtime_computes_the_logits_of_PyTorch(string model, string input, string logits)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model));
        NpyFile images = NpyFile.Load(SharedData.Require($"reference/{input}.npy"));
        float[] expected = NpyFile.Load(SharedData.Require($"reference/{logits}.npy")).Floats();
        double difference = Logits.Difference(expected, OnnxRuntime.Run([(graph, new())], images.Floats(), images.Shape)[0]);
        output.WriteLine($"{model}: {difference:e2}");
        Assert.InRange(difference, 0, Logits.Tolerance);
    }
}
