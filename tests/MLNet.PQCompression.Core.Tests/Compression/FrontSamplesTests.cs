using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Tests.Distillation;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class FrontSamplesTests
{
    [Fact]
    public void Images_become_what_the_first_layer_reads()
    {
        ISampleSource images = TinyNetwork.Source(5);
        using var half = new Half(one => new(one.Shape, one.Span.ToArray().Select(v => v / 2).ToArray()));
        var samples = new FrontSamples(TinyDetector.BehindForeignNodes, "prepared", images, half, CancellationToken.None);
        Assert.Equal((3, 12, 12, 5), (samples.Channels, samples.Height, samples.Width, samples.Count));
        foreach ((SampleBatch before, SampleBatch after) in images.Read(2).Zip(samples.Read(2)))
        {
            Assert.Equal(before.Names, after.Names);
            Assert.Equal(before.Data.ToArray().Select(v => v / 2), after.Data.ToArray());
        }
    }

    [Fact]
    public void What_is_no_image_is_refused()
    {
        using var rows = new Half(one => new(new(3, 144), one.Memory));
        var e = Assert.Throws<InvalidModelException>(() => new FrontSamples(TinyDetector.BehindForeignNodes, "prepared", TinyNetwork.Source(5), rows, CancellationToken.None));
        Assert.Contains("'prepared'", e.Message, StringComparison.Ordinal);
    }

    private sealed class Half(Func<Activation, Activation> make) : INodeEvaluator
    {
        public IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted)
        {
            Assert.Equal("prepare", Assert.Single(nodes).Name);
            Assert.True(isWanted("prepared"));
            return new Dictionary<string, Activation> { ["prepared"] = make(values("image")) };
        }

        public void Dispose() { }
    }
}
