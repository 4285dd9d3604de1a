using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class ReferenceLogitsTests
{
    [SkippableTheory]
    [InlineData("kill-the-bits/resnet18_small_blocks.pth", "imagenet8_input.npy", "resnet18_small_blocks_logits8.npy", null)]
    [InlineData("kill-the-bits/resnet50_large_blocks.pth", "imagenet8_input.npy", "resnet50_large_blocks_logits8.npy", null)]
    [InlineData("resnet-cifar/resnet20-12fca82f.th", "resnet20_input16.npy", "resnet20_logits16.npy", "resnet20")]
    public void TheSessionReproducesThem(string model, string input, string logits, string? architecture)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(model), architecture);
        NpyFile images = NpyFile.Load(SharedData.Require("reference/" + input));
        float[] expected = NpyFile.Load(SharedData.Require("reference/" + logits)).Floats();
        float scale = expected.Max(MathF.Abs);
        foreach (SimdLevel level in SimdLevels.Supported)
        {
            using var session = new InferenceSession(graph, new() { Threads = 2, Level = level, InputShape = new(images.Shape.AsSpan(1)) });
            int count = level == SimdLevels.Best ? images.Shape[0] : 1;
            var actual = new float[count * session.OutputLength];
            session.Run(images.Floats().AsSpan(0, count * (int)session.InputShape.Count), count, actual);
            Assert.Equal(expected.Length / images.Shape[0], session.OutputLength);
            for (int i = 0; i < actual.Length; i++)
                Assert.True(MathF.Abs(expected[i] - actual[i]) <= 1e-4f * scale, $"{level}: logit {i} is {actual[i]}, not {expected[i]} (of at most {scale})");
        }
    }
}
