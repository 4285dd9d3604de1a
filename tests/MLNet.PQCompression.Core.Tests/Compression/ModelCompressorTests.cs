using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Compression;

public sealed class ModelCompressorTests
{
    private static readonly LayerOverride Classifier = new("fc", BlockSize: 4, Codewords: 12);

    [Theory]
    [InlineData(CompressionMethod.Output)]
    [InlineData(CompressionMethod.Paper)]
    [InlineData(CompressionMethod.Plain)]
    public void The_student_has_the_plan_s_codebooks(CompressionMethod method)
    {
        ModelGraph teacher = TestNetworks.Residual();
        CompressionResult result = Compress(teacher, new() { Method = method, Overrides = [Classifier] });

        Assert.Equal(result.Report.PaperBytes, PaperAccounting.Of(result.Student).Total);
        Assert.Equal(CompressionPlan.Create(result.Student, new() { Method = method, Overrides = [Classifier] }).PaperBytes, result.Report.PaperBytes);
        foreach (LayerReport layer in result.Report.Layers.Where(l => l.Plan.IsQuantized))
        {
            var weight = Assert.IsType<QuantizedTensor>(result.Student.Initializers[layer.Plan.Weight]);
            Assert.Equal((layer.Plan.BlockSize, layer.Plan.Codewords), (weight.BlockSize, weight.Codewords));
            Assert.InRange(layer.RelativeError!.Value, 0.001, 0.9);
        }
    }

    [Fact]
    public void Better_objectives_give_better_outputs()
    {
        ModelGraph teacher = TestNetworks.Residual(32);
        double Error(CompressionMethod method) => Distance(teacher, Compress(teacher, new() { Method = method }).Student);
        (double output, double paper) = (Error(CompressionMethod.Output), Error(CompressionMethod.Paper));
        Assert.True(output < 0.5, $"output {output}");
        Assert.True(output < 0.5 * paper, $"output {output}, paper {paper}");
    }

    [Fact]
    public void The_same_seed_gives_the_same_student_for_any_number_of_threads()
    {
        ModelGraph teacher = TestNetworks.Residual();
        ModelGraph one = Compress(teacher, new() { Threads = 1, Seed = 3 }).Student, three = Compress(teacher, new() { Threads = 3, Seed = 3 }).Student;
        foreach ((string name, Initializer initializer) in one.Initializers)
            Assert.Equal(initializer.ToDense().ToArray(), three.Initializers[name].ToDense().ToArray());
        ModelGraph other = Compress(teacher, new() { Threads = 1, Seed = 4 }).Student;
        Assert.NotEqual(one.Initializers["block.conv1.weight"].ToDense().ToArray(), other.Initializers["block.conv1.weight"].ToDense().ToArray());
    }

    [Fact]
    public void Progress_rises_and_cancellation_stops()
    {
        ModelGraph teacher = TestNetworks.Residual();
        var seen = new List<CompressionProgress>();
        var progress = new Immediate(seen.Add);
        ModelCompressor.Compress(teacher, new TestNetworks.Images(40), null, progress);
        Assert.Equal(seen.Select(p => p.Fraction).Order(), seen.Select(p => p.Fraction));
        Assert.Equal(1, seen[^1].Fraction, 9);
        Assert.Contains(seen, p => p.Layer == "block.conv2.weight");

        using var cancellation = new CancellationTokenSource();
        var stop = new Immediate(p => { if (p.Layer is not null) cancellation.Cancel(); });
        Assert.Throws<OperationCanceledException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(40), null, stop, cancellation.Token));
    }

    [Fact]
    public void Few_images_are_looked_at_more_than_once()
    {
        ModelGraph teacher = TestNetworks.Residual();
        CompressionResult once = Compress(teacher, new() { Views = 1 }), thrice = Compress(teacher, new() { Views = 3 });
        Assert.Equal(once.Report.Images, thrice.Report.Images);
        Assert.NotEqual(Codes(once.Student), Codes(thrice.Student));
        // No room for a second look.
        Assert.Equal(Codes(once.Student), Codes(Compress(teacher, new() { Views = 3, MaxImages = 2 * once.Report.Images - 1 }).Student));
        Assert.Throws<ArgumentOutOfRangeException>(() => Compress(teacher, new() { Views = 0 }));

        static ushort[] Codes(ModelGraph student) => [.. student.Initializers.OrderBy(i => i.Key, StringComparer.Ordinal).SelectMany(i => i.Value is QuantizedTensor q ? q.Codes.ToArray() : [])];
    }

    [Fact]
    public void Only_as_many_images_are_read_as_fit_the_memory_that_may_be_taken()
    {
        // At block.conv1 and block.conv2 two values of 16×8×8 are alive in each network, besides the teacher's outputs; all float16.
        ModelGraph teacher = TestNetworks.Residual();
        const long perImage = (2 * 2 + 1) * 16 * 64 * sizeof(ushort), statistics = sizeof(float) * (10 * 16 * 144 + 2 * 2 * 144 * 144);
        Assert.Equal(perImage, CompressionMemory.BytesPerImage(teacher, CompressionPlan.Create(teacher, new()), CompressionMethod.Output, 8, 8).Max(l => l.Bytes));
        Assert.Equal(40, Compress(teacher, new() { MaxActivationBytes = statistics + 40 * perImage }).Report.Images);
        Assert.Equal(120, Compress(teacher, new() { MaxActivationBytes = statistics + 1000 * perImage }).Report.Images);
        Assert.Contains("block.conv1.weight", Assert.Throws<ArgumentException>(() => Compress(teacher, new() { MaxActivationBytes = statistics - 1 })).Message);
        Assert.Equal(1, Compress(teacher, new() { MaxActivationBytes = statistics }).Report.Images);
    }

    [Fact]
    public void Images_that_do_not_fit_are_refused()
    {
        ModelGraph teacher = TestNetworks.Residual();
        Assert.Contains("8×8", Assert.Throws<ArgumentException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(4, 3, 9))).Message);
        Assert.Contains("no images", Assert.Throws<ArgumentException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(0))).Message);
    }

    [Fact]
    public void BatchNorm_takes_the_statistics_of_the_student_where_asked()
    {
        ModelGraph teacher = TestNetworks.Residual();
        ModelGraph kept = Compress(teacher, new() { Method = CompressionMethod.Plain }).Student;
        ModelGraph estimated = Compress(teacher, new() { Method = CompressionMethod.Plain, ReestimateBatchNorm = true }).Student;
        const string mean = "block.conv2.bn.mean", variance = "block.conv2.bn.variance";
        Assert.Equal(teacher.Initializers[mean].ToDense().ToArray(), kept.Initializers[mean].ToDense().ToArray());

        Activation input = Images();
        Activation? x = null;
        new NodeEvaluator(estimated).EvaluateAll(input, (node, value) => x = node.Name == "block.conv2" ? value : x);
        float[] means = estimated.Initializers[mean].ToDense().ToArray(), variances = estimated.Initializers[variance].ToDense().ToArray();
        for (int c = 0; c < 16; c++)
        {
            double[] values = [.. Enumerable.Range(0, x!.Shape[0] * 64).Select(i => (double)x.Span[(i / 64 * 16 + c) * 64 + i % 64])];
            Assert.Equal(values.Average(), means[c], 1e-4);
            Assert.Equal(values.Average(v => v * v) - values.Average() * values.Average(), variances[c], 1e-3);
        }
    }

    private static CompressionResult Compress(ModelGraph teacher, CompressionOptions options) =>
        ModelCompressor.Compress(teacher, new TestNetworks.Images(120), options);

    private static Activation Images()
    {
        var batch = new TestNetworks.Images(120).Read(120).Single();
        return new(new(120, 3, 8, 8), batch.Data.ToArray());
    }

    /// <summary>The error of the student's logits relative to the spread of the teacher's.</summary>
    private static double Distance(ModelGraph teacher, ModelGraph student)
    {
        float[] expected = new NodeEvaluator(teacher).EvaluateAll(Images())[0].Span.ToArray(), actual = new NodeEvaluator(student).EvaluateAll(Images())[0].Span.ToArray();
        int classes = teacher.Outputs[0].Shape[1];
        double error = 0, spread = 0;
        for (int c = 0; c < classes; c++)
        {
            double mean = Enumerable.Range(0, 120).Average(i => expected[i * classes + c]);
            for (int i = 0; i < 120; i++)
            {
                error += Math.Pow(expected[i * classes + c] - actual[i * classes + c], 2);
                spread += Math.Pow(expected[i * classes + c] - mean, 2);
            }
        }
        return Math.Sqrt(error / spread);
    }

    private sealed class Immediate(Action<CompressionProgress> action) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value) => action(value);
    }
}
