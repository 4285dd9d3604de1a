using System.Security.Cryptography;
using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.Tests.Collectives;

public sealed class SharedCompressionTests
{
    public static TheoryData<CompressionMethod, bool> Methods => new()
    {
        { CompressionMethod.Output, false },
        { CompressionMethod.Paper, true },
        { CompressionMethod.Plain, true },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Any_number_of_ranks_makes_the_same_file(CompressionMethod method, bool reestimate)
    {
        var options = new CompressionOptions { Method = method, ReestimateBatchNorm = reestimate, Threads = 1, MaxImages = 120 };
        string expected = Compress(new SingleRank(), options);
        foreach (int size in (int[])[2, 3, 4])
            Assert.All(ThreadRanks.Run(size, ranks => Compress(ranks, options)).Results, actual => Assert.Equal(expected, actual));
    }

    /// <summary>A layer with rows for several parts: its search is shared too.</summary>
    [Fact]
    public void A_search_shared_by_rows_is_the_same_for_any_number_of_ranks()
    {
        var options = new CompressionOptions { Threads = 1, MaxImages = 16, Views = 1, Overrides = [new("conv1", BlockSize: 9, Codewords: 32), new("block.*", Skip: true)] };
        ModelGraph teacher = TestNetworks.Residual(width: 200);
        string expected = Compress(new SingleRank(), options, teacher: teacher);
        foreach (int size in (int[])[2, 3, 5])
            Assert.Equal(expected, ThreadRanks.Run(size, ranks => Compress(ranks, options, teacher: teacher)).Results[^1]);
        double Error(ICollective? ranks) => ModelCompressor.Compress(teacher, new TestNetworks.Images(16), options with { Collective = ranks }).Report.Layers.First(l => l.Plan.Rows > 64 && l.RelativeError > 0).RelativeError!.Value;
        Assert.InRange(Error(new SingleRank()) / Error(null), 0.9, 1.1);
    }

    /// <summary>Layers cut into slices are searched by the first rank alone; their sums are shared.</summary>
    [Fact]
    public void Layers_in_slices_are_the_same_for_any_number_of_ranks()
    {
        // Of shared work the sums of a branch of each level of the tree of parts are counted too.
        var options = new CompressionOptions { Threads = 1, MaxImages = 24, Views = 1, Blocks = BlockRegime.Small, MaxActivationBytes = 3 * RowSlicesTests.Memory };
        ModelGraph teacher = RowSlicesTests.WideNetwork();
        Assert.Contains(CompressionPlan.Create(LayerForms.Normalize(teacher), options with { Collective = new SingleRank() }).Layers, l => l.Slices > 1);
        string Shared(ICollective ranks) => Compress(ranks, options, new TestNetworks.Images(24, size: 16), teacher: teacher);
        string expected = Shared(new SingleRank());
        Assert.All(ThreadRanks.Run(3, Shared).Results, actual => Assert.Equal(expected, actual));
    }

    [Fact]
    public void Threads_do_not_matter_either()
    {
        var options = new CompressionOptions { MaxImages = 60 };
        Assert.Equal(Compress(new SingleRank(), options with { Threads = 3 }), ThreadRanks.Run(2, ranks => Compress(ranks, options with { Threads = 1 })).Results[0]);
    }

    [Theory]
    [InlineData(5)] // fewer images than parts
    [InlineData(43)]
    public void Few_and_unreadable_images_are_no_difference(int count)
    {
        var options = new CompressionOptions { Threads = 1, Views = 2 };
        string expected = Compress(new SingleRank(), options, new Holes(count));
        Assert.Equal(expected, ThreadRanks.Run(4, ranks => Compress(ranks, options, new Holes(count))).Results[3]);
        Assert.NotEqual(expected, Compress(new SingleRank(), options, new TestNetworks.Images(count)));
    }

    [Fact]
    public void What_is_sent_follows_from_the_moments()
    {
        var options = new CompressionOptions { Threads = 1 };
        long two = ThreadRanks.Run(2, ranks => Compress(ranks, options)).BytesSent, four = ThreadRanks.Run(4, ranks => Compress(ranks, options)).BytesSent;
        // Both halves of H and XᵀY in float32, sums and spreads in float64, from each rank but the first.
        (int N, int Rows)[] layers = [(27, 16), (144, 16), (144, 16)];
        long moments = layers.Sum(l => 2L * (4 * (l.N * l.N + l.N * l.Rows) + 8 * (l.N + l.Rows + 1)) + 8 * (16 * l.N + 2));
        Assert.InRange(two, moments, moments * 1.2);
        Assert.InRange(four, 3 * moments, 3 * moments * 1.2);
    }

    [Fact]
    public void An_analysis_is_the_work_of_one_process() =>
        Assert.Contains("one process", Assert.Throws<ArgumentException>(() => NetworkAnalyzer.Analyze(TestNetworks.Residual(), new TestNetworks.Images(8), new() { Collective = new SingleRank() })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_rank_that_fails_is_what_the_others_end_by() =>
        Assert.Contains("image 59", Assert.Throws<InvalidDataException>(() => ThreadRanks.Run(2, ranks => Compress(ranks, new() { Threads = 1 }, new Spoiled(60)))).Message, StringComparison.Ordinal);

    [Fact]
    public void An_interrupted_compression_goes_on_with_other_ranks()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var options = new CompressionOptions { Threads = 1, CheckpointFolder = folder };
            string expected = Compress(new SingleRank(), options with { CheckpointFolder = null });
            Assert.ThrowsAny<OperationCanceledException>(() => ThreadRanks.Run(4, ranks => Compress(ranks, options, stopAfter: 2)));
            Assert.Single(Directory.GetFiles(folder));
            var resumed = new List<CompressionProgress>();
            Assert.Equal(expected, ThreadRanks.Run(3, ranks => Compress(ranks, options with { Threads = 2 }, progress: ranks.Rank == 0 ? resumed : null)).Results[0]);
            Assert.Equal(2, resumed.Count(p => p.Stage == "resuming"));
            Assert.Empty(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Compress(ICollective ranks, CompressionOptions options, ISampleSource? images = null, int stopAfter = int.MaxValue, List<CompressionProgress>? progress = null, ModelGraph? teacher = null)
    {
        using var stop = new CancellationTokenSource();
        int done = 0;
        var told = new Told(p =>
        {
            progress?.Add(p);
            if (p.Detail?.StartsWith("output error", StringComparison.Ordinal) == true && ++done == stopAfter)
                stop.Cancel();
        });
        ModelGraph student = ModelCompressor.Compress(teacher ?? TestNetworks.Residual(), images ?? new TestNetworks.Images(60), options with { Collective = ranks }, told, stop.Token).Student;
        using var file = new MemoryStream();
        OnnxWriter.Write(student, file);
        return Convert.ToHexStringLower(SHA256.HashData(file.ToArray()));
    }

    private sealed class Told(Action<CompressionProgress> tell) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value) => tell(value);
    }

    /// <summary>Images of which every seventh cannot be used.</summary>
    private sealed class Holes(int count) : ISampleSource
    {
        private readonly TestNetworks.Images _all = new(count);

        public int Channels => _all.Channels;

        public int Height => _all.Height;

        public int Width => _all.Width;

        public int? Count => null;

        public int? Places => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default) => ReadPlaces(0, count, batchSize, cancellationToken);

        public IEnumerable<SampleBatch> ReadPlaces(int first, int count, int batchSize, CancellationToken cancellationToken = default)
        {
            int place = first;
            SampleBatch[] good = [.. ((ISampleSource)_all).ReadPlaces(first, count, 1, cancellationToken).Where(_ => place++ % 7 != 3)];
            foreach (SampleBatch[] some in good.Chunk(batchSize))
                yield return new(some.SelectMany(s => s.Data.ToArray()).ToArray(), some.Length, [.. some.SelectMany(s => s.Names)], [.. some.SelectMany(s => s.Labels)]);
        }
    }

    /// <summary>Images of which the last is not finite.</summary>
    private sealed class Spoiled(int count) : ISampleSource
    {
        private readonly TestNetworks.Images _all = new(count);

        public int Channels => _all.Channels;

        public int Height => _all.Height;

        public int Width => _all.Width;

        public int? Count => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default) => _all.Read(batchSize, cancellationToken).Select(batch =>
        {
            float[] data = batch.Data.ToArray();
            if (batch.Names[^1] == $"image {count - 1}")
                data[^1] = float.NaN;
            return batch with { Data = data };
        });
    }
}
