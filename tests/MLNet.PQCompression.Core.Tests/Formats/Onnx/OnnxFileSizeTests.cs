using System.Numerics;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using Xunit.Abstractions;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

/// <summary>The written file against the paper's count: codes in the bits they need, float16 codebooks, everything else float32 without running statistics.</summary>
public class OnnxFileSizeTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth", 1_615_904, 0.01)]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth", 3_338_784, 0.0125)]
    public void A_compressed_ImageNet_model_is_hardly_larger_than_its_numbers(string model, long accounted, double allowed)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model));
        Assert.Equal(accounted, Accounted(graph));
        Check(graph, accounted, allowed);
    }

    [SkippableFact]
    public void A_compressed_CIFAR_model_is_a_tenth_larger_than_its_numbers()
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require("resnet-cifar/resnet20-jpeg.safetensors"));
        var changes = graph.Initializers
            .Where(i => i.Value.Shape.Rank > 1 && i.Key != "conv1.weight")
            .Select(i => KeyValuePair.Create<string, Initializer>(i.Key, Random(i.Value.Shape, i.Value.Shape.Rank == 4 ? 9 : 4)));
        graph = graph.WithInitializers(changes);
        Assert.Equal(96_780, Accounted(graph));
        Check(graph, 96_780, 0.107);
    }

    private void Check(ModelGraph graph, long accounted, double allowed)
    {
        long file = OnnxWriter.Size(graph);
        output.WriteLine($"{graph.Name}: {file} bytes, {accounted} accounted, {(double)file / accounted - 1:p2} over");
        Assert.InRange(file, accounted, (long)(accounted * (1 + allowed)));
    }

    private static QuantizedTensor Random(TensorShape shape, int d)
    {
        var random = new Random(1);
        int blocks = (int)shape.Count / d, k = (int)Math.Min(256, BitOperations.RoundUpToPowerOf2((uint)(blocks / 4) + 1) / 2);
        return new(shape, d, [.. Enumerable.Range(0, k * d).Select(_ => (float)(Half)random.NextSingle())], [.. Enumerable.Range(0, blocks).Select(_ => (ushort)random.Next(k))]);
    }

    // Statistics fold into scale and bias, so they do not count; codes count by the bit.
    private static long Accounted(ModelGraph graph)
    {
        var statistics = graph.Nodes.Where(n => n.Operator is BatchNormalization).SelectMany(n => n.Inputs.Skip(3)).ToHashSet();
        return graph.Initializers.Where(i => !statistics.Contains(i.Key)).Sum(i => i.Value is QuantizedTensor q
            ? q.Codes.Length * (long)(BitOperations.Log2((uint)q.Codewords - 1) + 1) / 8 + 2 * q.Codebook.Length
            : 4 * i.Value.Shape.Count);
    }
}
