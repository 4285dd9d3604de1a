using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>Networks as pruning leaves them, and images that show next to nothing: the student is finite and sensible.</summary>
public sealed class DegenerateNetworksTests
{
    public static TheoryData<string, bool> Pruned => new()
    {
        { "conv1", false }, { "block.conv1", false }, { "block.conv2", false },
        { "conv1", true }, { "block.conv1", true }, { "block.conv2", true },
    };

    /// <summary>Where training goes on after pruning, the running statistics of a filter of zeros become zero too, and γ/σ of its BatchNorm a few hundred.</summary>
    [Theory]
    [MemberData(nameof(Pruned))]
    public void A_pruned_network_is_compressed_as_well_as_the_unpruned(string layer, bool hasSettled)
    {
        ModelGraph whole = TestNetworks.Residual(32), pruned = Prune(whole, layer, 16, hasSettled);
        (double expected, _) = Compress(whole, new TestNetworks.Images(200));
        (double error, CompressionReport report) = Compress(pruned, new TestNetworks.Images(200));
        Assert.True(error < 1.15 * expected, $"{error} pruned, {expected} whole");
        Assert.All(report.Layers.Where(l => l.Plan.IsQuantized), l => Assert.InRange(l.RelativeError!.Value, 0, 1));
    }

    [Fact]
    public void A_layer_pruned_away_is_met_exactly()
    {
        ModelGraph whole = TestNetworks.Residual(32);
        (double error, CompressionReport report) = Compress(Prune(whole, "block.conv2", 32, hasSettled: false), new TestNetworks.Images(200));
        Assert.InRange(report.Layers.Single(l => l.Plan.Node == "block.conv2").RelativeError!.Value, 0, 1);
        (double expected, _) = Compress(whole, new TestNetworks.Images(200));
        Assert.True(error < 1.3 * expected, $"{error} pruned, {expected} whole");
    }

    [Theory]
    [InlineData(1, CompressionMethod.Output)]
    [InlineData(3, CompressionMethod.Output)]
    [InlineData(3, CompressionMethod.Paper)]
    public void Grey_images_still_give_a_network_that_works_on_others(int count, CompressionMethod method)
    {
        ModelGraph teacher = TestNetworks.Residual(32);
        CompressionResult result = ModelCompressor.Compress(teacher, new Grey(count), new() { Method = method });
        Assert.Equal(count, result.Report.Images);
        Assert.All(result.Report.Layers.Where(l => l.Plan.IsQuantized), l => Assert.InRange(l.RelativeError!.Value, 0, 1));
        double plain = Distance(teacher, ModelCompressor.Compress(teacher, new Grey(count), new() { Method = CompressionMethod.Plain }).Student, new TestNetworks.Images(100));
        double error = Distance(teacher, result.Student, new TestNetworks.Images(100));
        Assert.True(error < 1.5 * plain, $"{error}, by weights alone {plain}");
    }

    [Fact]
    public void One_image_gives_a_network_that_works_on_others()
    {
        ModelGraph teacher = TestNetworks.Residual(32);
        double one = Distance(teacher, ModelCompressor.Compress(teacher, new TestNetworks.Images(1)).Student, new TestNetworks.Images(100));
        Assert.True(one < 1, $"{one}");
    }

    private static (double Error, CompressionReport Report) Compress(ModelGraph teacher, ISampleSource images)
    {
        CompressionResult result = ModelCompressor.Compress(teacher, images);
        foreach ((string name, Initializer initializer) in result.Student.Initializers)
            if (initializer is QuantizedTensor weight)
                Assert.True(weight.Codebook.ToArray().Max(MathF.Abs) <= 5 * Scale(teacher, name), $"{name}: codewords reach {weight.Codebook.ToArray().Max(MathF.Abs)}");
        return (Distance(teacher, result.Student, images), result.Report);
    }

    /// <summary>The largest weight, rows being brought to the mean row's length.</summary>
    private static float Scale(ModelGraph teacher, string name)
    {
        float[] weight = teacher.Initializers.TryGetValue(name, out Initializer? own) ? own.ToDense().ToArray() : [1];
        return 4 * weight.Max(MathF.Abs);
    }

    private static ModelGraph Prune(ModelGraph graph, string layer, int filters, bool hasSettled)
    {
        float[] weight = graph.Initializers[layer + ".weight"].ToDense().ToArray(), mean = graph.Initializers[layer + ".bn.mean"].ToDense().ToArray(),
            variance = graph.Initializers[layer + ".bn.variance"].ToDense().ToArray();
        weight.AsSpan(0, filters * (weight.Length / mean.Length)).Clear();
        if (hasSettled)
        {
            mean.AsSpan(0, filters).Clear();
            variance.AsSpan(0, filters).Clear();
        }
        return graph.WithInitializers([
            new(layer + ".weight", new DenseTensor(graph.Initializers[layer + ".weight"].Shape, weight)),
            new(layer + ".bn.mean", new DenseTensor(new(mean.Length), mean)), new(layer + ".bn.variance", new DenseTensor(new(mean.Length), variance))]);
    }

    /// <summary>The root of the mean square error of the logits, relative to the teacher's spread.</summary>
    private static double Distance(ModelGraph teacher, ModelGraph student, ISampleSource images)
    {
        SampleBatch batch = images.Read(1000).First();
        var input = new Activation(new(batch.Count, 3, 8, 8), batch.Data.ToArray());
        float[] expected = new NodeEvaluator(teacher).EvaluateAll(input)[0].Span.ToArray(), actual = new NodeEvaluator(student).EvaluateAll(input)[0].Span.ToArray();
        Assert.All(actual, v => Assert.True(float.IsFinite(v)));
        int classes = expected.Length / batch.Count;
        double error = 0, spread = 0;
        for (int c = 0; c < classes; c++)
        {
            double mean = Enumerable.Range(0, batch.Count).Average(i => expected[i * classes + c]);
            for (int i = 0; i < batch.Count; i++)
            {
                error += Math.Pow(expected[i * classes + c] - actual[i * classes + c], 2);
                spread += Math.Pow(expected[i * classes + c] - mean, 2);
            }
        }
        return Math.Sqrt(error / spread);
    }

    /// <summary>Images of one grey each.</summary>
    private sealed class Grey(int count) : ISampleSource
    {
        public int Channels => 3;

        public int Height => 8;

        public int Width => 8;

        public int? Count => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
        {
            float[] data = [.. Enumerable.Range(0, count).SelectMany(i => Enumerable.Repeat(0.3f * i - 0.2f, 192))];
            yield return new(data, count, [.. Enumerable.Range(0, count).Select(i => $"grey {i}")], [.. Enumerable.Repeat(-1, count)]);
        }
    }
}
