using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Compression;

namespace MLNet.PQCompression.Tests.Budget;

public sealed class BudgetCompressorTests
{
    private static readonly ModelGraph Teacher = TestNetworks.Residual(width: 32);
    private static readonly TestNetworks.Images Images = new(96);
    private static readonly Lazy<NetworkAnalysis> Analysis = new(() => NetworkAnalyzer.Analyze(Teacher, Images));

    [Fact]
    public void An_analysis_covers_every_layer_and_its_curve_falls()
    {
        NetworkAnalysis analysis = Analysis.Value;
        Assert.Equal(["conv1.weight", "block.conv1.weight", "block.conv2.weight", "fc.weight"], analysis.Layers.Select(l => l.Plan.Weight));
        Assert.Single(analysis.Layers[0].Choices); // The first convolution is left alone.
        Assert.Null(analysis.Layers[0].Reference);
        Assert.All(analysis.Layers.Skip(1), l =>
        {
            Assert.InRange(l.Reference!.Value.Error, 1e-6, 1);
            Assert.True(l.Reference.Value.Divergence > 0 && l.Sensitivity > 0);
            Assert.Contains(l.Choices, c => c is { BlockSize: 0, Divergence: 0 });
            Assert.Equal(l.Choices.Select(c => c.FileBytes).OrderDescending(), l.Choices.Select(c => c.FileBytes));
        });
        Assert.Equal(0, analysis.Curve[^1].Divergence);
        Assert.True(analysis.Curve[0].Divergence > 0);
        Assert.Null(analysis.Within(1));
    }

    [Fact]
    public void What_a_layer_costs_alone_is_what_the_network_loses_with_that_weight()
    {
        // The costliest choice that was measured, put into the network by itself, diverges on the same images by about what the analysis says.
        LayerSensitivity layer = Analysis.Value.Layers[1];
        LayerChoice choice = layer.Reference!.Value;
        CompressionResult alone = ModelCompressor.Compress(Teacher, Images, new()
        {
            Views = 1,
            Overrides = [new("*", Skip: true), new(layer.Plan.Weight, choice.BlockSize, choice.Codewords)],
        });
        double measured = HeldOutCheck.Run(Teacher, alone.Student, Images).Loss;
        Assert.InRange(choice.Divergence / measured, 0.8, 2.5); // A short search leaves more error than a whole one.
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void A_size_is_kept_to_by_the_bytes_of_the_file(double ratio)
    {
        long target = (long)(Analysis.Value.DenseBytes / ratio);
        BudgetResult result = BudgetCompressor.Compress(Teacher, Images, new() { FileBytes = target, ReservedBytes = 100 }, analysis: Analysis.Value);
        long written = OnnxWriter.Size(result.Compression.Student);
        Assert.InRange(written, 0.85 * target - 100, target - 100);
        Assert.Equal(result.Plan.FileBytes, written + 100);
        Assert.Equal(written, OnnxWriter.Size(BudgetCompressor.Compress(Teacher, Images, new() { Ratio = ratio, ReservedBytes = 100 }, analysis: Analysis.Value).Compression.Student));
        Assert.Contains(result.Compression.Report.Layers, l => l.Plan.Reason.Contains("budget", StringComparison.Ordinal));
    }

    [Fact]
    public void More_bytes_never_diverge_more_by_the_model_and_in_truth_less()
    {
        BudgetResult Of(double ratio) => BudgetCompressor.Compress(Teacher, Images, new() { Ratio = ratio }, analysis: Analysis.Value);
        (BudgetResult small, BudgetResult large) = (Of(9), Of(3.5));
        Assert.True(small.Plan.Divergence > large.Plan.Divergence);
        var fresh = new TestNetworks.Images(64, seed: 77);
        Assert.True(HeldOutCheck.Run(Teacher, small.Compression.Student, fresh).Loss > HeldOutCheck.Run(Teacher, large.Compression.Student, fresh).Loss);
    }

    [Fact]
    public void A_loss_is_kept_to_on_held_out_images_and_a_higher_one_takes_fewer_bytes()
    {
        var heldOut = new TestNetworks.Images(64, seed: 77);
        long last = long.MaxValue;
        foreach (double limit in new[] { 0.002, 0.02, 0.1 })
        {
            BudgetResult result = BudgetCompressor.Compress(Teacher, Images, new() { Divergence = limit, HeldOut = heldOut }, analysis: Analysis.Value);
            Assert.InRange(result.Check!.Divergence!.Value, 0, limit);
            Assert.Equal(HeldOutCheck.Run(Teacher, result.Compression.Student, heldOut).Divergence!.Value, result.Check.Divergence.Value, 9);
            Assert.True(result.Plan.FileBytes <= last);
            last = result.Plan.FileBytes;
        }
        Assert.InRange(BudgetCompressor.Compress(Teacher, Images, new() { LostShare = 0.1, HeldOut = heldOut }, analysis: Analysis.Value).Check!.LostShare, 0, 0.1);
    }

    [Fact]
    public void Layers_that_are_fixed_or_left_alone_stay_so()
    {
        CompressionOptions options = new() { Overrides = [new("fc.*", Skip: true), new("block.conv1*", 9, 24)] };
        BudgetResult result = BudgetCompressor.Compress(Teacher, Images, new() { Ratio = 4 }, options);
        Assert.IsNotType<QuantizedTensor>(result.Compression.Student.Initializers["fc.weight"]);
        var tensor = Assert.IsType<QuantizedTensor>(result.Compression.Student.Initializers["block.conv1.weight"]);
        Assert.Equal((9, 24), (tensor.BlockSize, tensor.Codewords));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_whatever_the_threads()
    {
        byte[] Written(int threads)
        {
            using var stream = new MemoryStream();
            OnnxWriter.Write(BudgetCompressor.Compress(Teacher, Images, new() { Ratio = 6 }, new() { Threads = threads, Seed = 3 }).Compression.Student, stream);
            return stream.ToArray();
        }
        Assert.Equal(Written(1), Written(2));
    }

    [Fact]
    public void A_budget_measures_no_layer_that_one_before_it_has_measured_and_gives_the_same_bytes()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            byte[] Written(CompressionOptions options, Stops stops, CancellationToken cancellationToken = default)
            {
                using var stream = new MemoryStream();
                OnnxWriter.Write(BudgetCompressor.Compress(Teacher, Images, new() { Ratio = 6 }, options, null, stops, cancellationToken).Compression.Student, stream);
                return stream.ToArray();
            }
            byte[] whole = Written(new(), new());
            foreach (Func<CompressionProgress, bool> at in (Func<CompressionProgress, bool>[])[p => p is { Stage: "measuring", Layer: "block.conv2.weight" }, p => p is { Stage: "quantizing", Detail: not null }])
            {
                using var cancel = new CancellationTokenSource();
                var options = new CompressionOptions { CheckpointFolder = folder };
                Assert.ThrowsAny<OperationCanceledException>(() => Written(options, new(at, cancel.Cancel), cancel.Token));
                var resumed = new Stops();
                Assert.Equal(whole, Written(options, resumed));
                string[] searched = [.. resumed.Seen.TakeWhile(p => p.Layer != "fc.weight" || p.Stage != "measuring").Where(p => p.Stage == "taking statistics").Select(p => p.Layer!)];
                Assert.DoesNotContain("block.conv1.weight", searched);
                // What was measured stays, for another budget.
                Assert.Single(Directory.GetFiles(folder));
                var again = new Stops();
                Assert.Equal(Analysis.Value.Curve.Select(p => (p.FileBytes, p.Divergence)), NetworkAnalyzer.Analyze(Teacher, Images, options, again).Curve.Select(p => (p.FileBytes, p.Divergence)));
                Assert.DoesNotContain(again.Seen, p => p.Stage == "taking statistics");
            }
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_cannot_be_kept_is_refused_with_what_can()
    {
        string Refused(CompressionBudget budget, CompressionOptions? options = null) =>
            Assert.Throws<ArgumentException>(() => BudgetCompressor.Compress(Teacher, Images, budget, options, options is null ? Analysis.Value : null)).Message;
        Assert.Contains("the smallest plan takes", Refused(new() { FileBytes = 2000 }), StringComparison.Ordinal);
        Assert.Contains("exactly one limit", Refused(new() { FileBytes = 2000, Ratio = 3 }), StringComparison.Ordinal);
        Assert.Contains("exactly one limit", Refused(new()), StringComparison.Ordinal);
        Assert.Contains("positive", Refused(new() { Divergence = -1 }), StringComparison.Ordinal);
        Assert.Contains("'output'", Refused(new() { Ratio = 4 }, new() { Method = CompressionMethod.Plain }), StringComparison.Ordinal);
        Assert.Contains("No plan", Refused(new() { Divergence = 1e-9, HeldOut = Images }, new() { Overrides = [new("block.conv1*", 18, 8)] }), StringComparison.Ordinal);
    }

    /// <summary>Keeps what is told, and does something at one of it.</summary>
    private sealed class Stops(Func<CompressionProgress, bool>? at = null, Action? then = null) : IProgress<CompressionProgress>
    {
        public List<CompressionProgress> Seen { get; } = [];

        public void Report(CompressionProgress value)
        {
            Seen.Add(value);
            if (at?.Invoke(value) == true)
                then!();
        }
    }
}
