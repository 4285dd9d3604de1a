using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using Xunit.Abstractions;

namespace MLNet.PQCompression.Tests;

/// <summary>Tests that measure, and so run when no other does.</summary>
[CollectionDefinition(nameof(Measurements), DisableParallelization = true)]
public sealed class Measurements;

/// <summary>What a pipeline costs over the network itself, and that it keeps no memory.</summary>
[Collection(nameof(Measurements))]
public sealed class ThroughputTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(1);

    public void Dispose() => _folder.Dispose();

    [Fact, Trait("Category", "Slow")]
    public void An_engine_takes_at_most_a_tenth_longer_than_the_session()
    {
        ImageSource source = ImageSource.Open(Repository.File("datasets/shapes10/test.zip"));
        ImagePreprocessing preprocessing = ImagePreprocessing.For(Formats.ModelFile.Load(Repository.File("datasets/shapes10/teacher.onnx")));
        NormalizedRow[] rows = [.. new ImageSampleSource(source.Take(250), preprocessing).Read(1).Select(b => new NormalizedRow { Image = b.Data.ToArray() })];
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        using PqCompressionTransformer model = _context.Transforms.CompressModel(new PqCompressionEstimator.Options
        {
            InputColumnName = "Image", ModelFile = Repository.File("datasets/shapes10/teacher.onnx"), Pixels = new(Normalized: true),
            Compression = new() { MaxImages = 64 }, Inference = new() { Threads = 1 },
        }).Fit(data);
        using var zip = new MemoryStream();
        _context.Model.Save(model, data.Schema, zip);
        using var session = new InferenceSession(model.Model, new() { Threads = 1 });
        using var engine = _context.Model.CreatePredictionEngine<NormalizedRow, ScoreRow>(model);
        var scores = new float[session.OutputLength];
        var prediction = new ScoreRow();

        // Short turns, one after the other, so that both meet the same disturbances; 10,000 rows in all.
        var ratios = new List<double>();
        TimeSpan alone = default, piped = default;
        for (int turn = 0; turn < 42; turn++)
        {
            TimeSpan a = Time(row => session.Run(row.Image, 1, scores)), b = Time(row => engine.Predict(row, ref prediction));
            if (turn < 2)
                continue;
            (alone, piped) = (alone + a, piped + b);
            ratios.Add(b / a);
        }
        ratios.Sort();
        output.WriteLine($"10,000 rows: session {alone.TotalSeconds:f2} s, engine {piped.TotalSeconds:f2} s; median ratio {ratios[20]:f3}");
        Assert.True(ratios[20] < 1.10, $"median ratio {ratios[20]:f3}");

        TimeSpan Time(Action<NormalizedRow> score)
        {
            var watch = Stopwatch.StartNew();
            foreach (NormalizedRow row in rows)
                score(row);
            return watch.Elapsed;
        }
    }

    [Fact]
    public void Memory_is_flat_over_many_rows_engine_and_cursor_and_loaded_chain()
    {
        PixelRow[] rows = PixelRow.Make(50);
        IDataView data = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 10_000).Select(i => rows[i % 50]));
        using PqCompressionTransformer model = _context.Transforms.ScoreCompressedModel("Score", "Image", TestNetwork.Graph().Save(_folder)).Fit(data);
        using var zip = new MemoryStream();
        _context.Model.Save(model, data.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        using var engine = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(model);
        using var loadedEngine = _context.Model.CreatePredictionEngine<PixelRow, ScoreRow>(loaded);
        var prediction = new ScoreRow();
        Action<int>[] ways =
        [
            n => { for (int i = 0; i < n; i++) engine.Predict(rows[i % 50], ref prediction); },
            n => { for (int i = 0; i < n; i++) loadedEngine.Predict(rows[i % 50], ref prediction); },
            n => Assert.Equal(n, _context.Data.TakeRows(model.Transform(data), n).GetColumn<uint>("PredictedLabel").Count()),
        ];
        foreach (Action<int> score in ways)
        {
            score(500);
            Assert.InRange(Enumerable.Range(0, 4).Min(_ => Growth(() => score(10_000))), long.MinValue, 1 << 12);
        }

        // What is kept of every row grows in every round. The runtime itself allocates 80 to 280 KB now and then; so the least of four rounds tells, and may be nearly nothing.
        static long Growth(Action work)
        {
            long before = LiveBytes();
            work();
            return LiveBytes() - before;
        }
    }

    /// <summary>What is reachable. GC.GetTotalMemory would count the gaps before pinned objects too, up to a region of 4 MiB that comes and goes.</summary>
    private static long LiveBytes()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        GCMemoryInfo heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return heap.HeapSizeBytes - heap.FragmentedBytes;
    }

    private sealed class NormalizedRow
    {
        [VectorType(3, 32, 32)]
        public float[] Image { get; set; } = [];
    }
}
