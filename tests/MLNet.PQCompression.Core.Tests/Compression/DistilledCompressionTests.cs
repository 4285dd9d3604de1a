using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Distillation;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class DistilledCompressionTests : IDisposable
{
    private static readonly CompressionOptions Options = new()
    {
        Method = CompressionMethod.Paper, Codewords = 16, Threads = 2,
        Distillation = new() { LayerSteps = 6, Epochs = 2, BatchSize = 16, Augmentation = Augmentation.None },
    };

    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Distillation_moves_codebooks_and_keeps_the_bytes()
    {
        CompressionResult plain = ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), Options with { Distillation = null });
        var stages = new Stages();
        CompressionResult distilled = ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), Options, stages);
        Assert.Equal(plain.Report.PaperBytes, distilled.Report.PaperBytes);
        Assert.Contains("fine-tuning the layer", stages.Seen.Select(p => p.Stage));
        Assert.Equal(1, stages.Seen[^1].Fraction);
        Assert.True(stages.Seen.Zip(stages.Seen.Skip(1)).All(p => p.First.Fraction <= p.Second.Fraction));
        foreach ((string name, QuantizedTensor q) in Quantized(distilled.Student))
            Assert.NotEqual(((QuantizedTensor)plain.Student.Initializers[name]).Codebook.ToArray(), q.Codebook.ToArray());
    }

    [Fact]
    public void A_detector_is_distilled_too()
    {
        CompressionOptions options = Options with { Method = CompressionMethod.Output, Distillation = DistillationOptions.AfterOutputAwareFor(TinyDetector.Teacher, 64, 64) with { Epochs = 2, Augmentation = Augmentation.None } };
        Assert.Equal(4, options.Distillation.BatchSize);
        CompressionResult plain = ModelCompressor.Compress(TinyDetector.Teacher, TinyNetwork.Source(), options with { Distillation = null }), distilled = ModelCompressor.Compress(TinyDetector.Teacher, TinyNetwork.Source(), options);
        Assert.Equal(plain.Report.PaperBytes, distilled.Report.PaperBytes);
        (string, QuantizedTensor)[] quantized = [.. Quantized(distilled.Student)];
        Assert.NotEmpty(quantized);
        foreach ((string name, QuantizedTensor q) in quantized)
            Assert.NotEqual(((QuantizedTensor)plain.Student.Initializers[name]).Codebook.ToArray(), q.Codebook.ToArray());
        Assert.Same(DistillationOptions.AfterOutputAwareOnPhotographs, DistillationOptions.AfterOutputAwareFor(TinyNetwork.Teacher, 64, 64));
    }

    [Theory]
    [InlineData(CompressionMethod.Paper, 1)]
    [InlineData(CompressionMethod.Paper, 2)]
    [InlineData(CompressionMethod.Output, 2)]
    public void An_interrupted_compression_goes_on_bit_identically(CompressionMethod method, int layersBefore)
    {
        CompressionOptions options = Options with { Method = method, CheckpointFolder = _folder };
        CompressionResult whole = ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), options with { CheckpointFolder = null });
        using var cancel = new CancellationTokenSource();
        var interrupt = new Stages { At = p => p.Detail?.StartsWith("output error", StringComparison.Ordinal) == true, Times = layersBefore, Then = cancel.Cancel };
        Assert.ThrowsAny<OperationCanceledException>(() => ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), options, interrupt, cancel.Token));
        Assert.Single(Directory.GetFiles(_folder));
        var stages = new Stages();
        CompressionResult resumed = ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), options, stages);
        Assert.Equal(layersBefore, stages.Seen.Count(p => p.Stage == "resuming"));
        foreach ((string name, Initializer initializer) in whole.Student.Initializers)
            Assert.True(initializer.ToDense().Span.SequenceEqual(resumed.Student.Initializers[name].ToDense().Span), name);
        Assert.Equal(whole.Report.Layers.Select(l => l.RelativeError), resumed.Report.Layers.Select(l => l.RelativeError));
        Assert.Equal(whole.Report.Layers.SelectMany(l => l.Objective), resumed.Report.Layers.SelectMany(l => l.Objective));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Another_option_does_not_meet_the_old_state()
    {
        CompressionOptions options = Options with { CheckpointFolder = _folder };
        using var cancel = new CancellationTokenSource();
        var interrupt = new Stages { At = p => p.Detail is not null, Times = 1, Then = cancel.Cancel };
        Assert.ThrowsAny<OperationCanceledException>(() => ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), options, interrupt, cancel.Token));
        var stages = new Stages();
        ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), options with { Overrides = [new("conv3*", Codewords: 8)] }, stages);
        Assert.DoesNotContain("resuming", stages.Seen.Select(p => p.Stage));
    }

    [Fact]
    public void Distillation_runs_on_the_backend_that_is_asked_for()
    {
        CountingBackend? counting = null;
        ModelCompressor.Compress(TinyNetwork.Teacher, TinyNetwork.Source(), Options with
        {
            Backend = threads => counting = new(new ManagedBackend(threads)),
        });
        Assert.True(counting!.IsDisposed);
        Assert.Equal((3 * 6) + (2 * 2), counting.Updates); // the steps of three layers, and two epochs of two
    }

    private static IEnumerable<(string, QuantizedTensor)> Quantized(ModelGraph graph) =>
        graph.Initializers.Where(i => i.Value is QuantizedTensor).Select(i => (i.Key, (QuantizedTensor)i.Value));

    private sealed class Stages : IProgress<CompressionProgress>
    {
        private int _met;

        public List<CompressionProgress> Seen { get; } = [];

        public Func<CompressionProgress, bool>? At { get; init; }

        public int Times { get; init; }

        public Action? Then { get; init; }

        public void Report(CompressionProgress value)
        {
            Seen.Add(value);
            if (At?.Invoke(value) == true && ++_met == Times)
                Then?.Invoke();
        }
    }
}
