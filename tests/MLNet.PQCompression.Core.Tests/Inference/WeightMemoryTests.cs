using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class WeightMemoryTests
{
    [SkippableTheory]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth")]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth")]
    public void WeightsTakeAtMostHalfAsMuchAgainAsTheFile(string model)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model));
        using var session = new InferenceSession(graph, new() { Threads = 1, InputShape = new(3, 224, 224) });
        long file = OnnxWriter.Size(graph);
        Assert.InRange(session.WeightBytes, file / 2, file * 3 / 2);
    }

    [Fact]
    public void AThousandSessionsShareTheirWeights()
    {
        ModelGraph graph = SampleModels.Make(SampleModel.Wide);
        using var first = new InferenceSession(graph, new() { Threads = 1 });
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            new InferenceSession(graph, new() { Threads = 1 }).Dispose();
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1000 * first.WeightBytes / 20);
    }
}
