using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.Tests.Distillation;

public class StatisticsAnchorTests
{
    [Fact]
    public void The_function_stays_and_the_statistics_become_those_of_the_inputs()
    {
        // A file may fold statistics away and share equal constants between nodes.
        using var file = new MemoryStream();
        OnnxWriter.Write(TinyNetwork.Student, file);
        ModelGraph folded = OnnxReader.Read(file.ToArray(), "memory");
        TrainingSet images = TinyNetwork.Images();
        DrawnBatch batch = new BatchStream(images, 40, Augmentation.None, 0).Read(0, 1).Single();
        using var backend = new ManagedBackend(2);
        ModelGraph anchored = StatisticsAnchor.Apply(backend, folded, images, [batch]);
        Assert.True(StatisticsAnchor.HasFoldedStatistics(folded));
        Assert.False(StatisticsAnchor.HasFoldedStatistics(anchored));
        var input = new Activation(new(40, 3, 12, 12), batch.Images);
        var values = new Dictionary<string, Activation>();
        float[] expected = new NodeEvaluator(folded).EvaluateAll(input)[0].Span.ToArray();
        float[] actual = new NodeEvaluator(anchored).EvaluateAll(input, (node, output) => values[node.Output] = output)[0].Span.ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-3 * (1 + Math.Abs(expected[i])));
        Node[] normalizations = [.. anchored.Nodes.Where(n => n.Operator is BatchNormalization)];
        Assert.Equal(12, normalizations.SelectMany(n => n.Inputs.Skip(1)).Distinct().Count());
        foreach (Node node in normalizations)
        {
            float[] output = values[node.Output].Span.ToArray();
            int channels = values[node.Output].Shape[1], plane = output.Length / 40 / channels;
            float[] scale = anchored.Initializers[node.Inputs[1]].ToDense().ToArray(), bias = anchored.Initializers[node.Inputs[2]].ToDense().ToArray();
            for (int c = 0; c < channels; c++)
            {
                float[] ofChannel = [.. output.Where((_, i) => i / plane % channels == c)];
                Assert.Equal(bias[c], ofChannel.Average(), 1e-3);
                Assert.Equal(Math.Abs(scale[c]), Math.Sqrt(ofChannel.Average(x => (x - bias[c]) * (x - bias[c]))), 2e-3);
            }
        }
    }
}
