using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Distillation;

namespace MLNet.PQCompression.Tests.Collectives;

public sealed class SharedTrainingTests
{
    private static readonly DistillationOptions Options = new() { LayerSteps = 2, Epochs = 2, BatchSize = 24, BatchStatistics = true, TrainUncompressed = true, Averaging = 0.9, Optimizer = new AdamOptions(), GlobalRate = new(1e-3, new ConstantSchedule()) };

    public static TheoryData<string> Kinds => [.. new[] { "batch statistics", "running statistics", "unchanged images", "re-assignment", "few images" }];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Any_number_of_ranks_trains_the_same(string kind)
    {
        DistillationOptions options = kind switch
        {
            "running statistics" => Options with { BatchStatistics = false },
            "unchanged images" => Options with { UnchangedFrom = 1 },
            "re-assignment" => Options with { Epochs = 12, Reassignment = new(10, Certainty: 0, Until: 1) },
            "few images" => Options with { BatchSize = 3 },
            _ => Options,
        };
        string expected = Train(new SingleRank(), options, threads: 2);
        foreach (int size in (int[])[2, 3, 4])
            Assert.All(ThreadRanks.Run(size, ranks => Train(ranks, options)).Results, actual => Assert.Equal(expected, actual));
        Assert.NotEqual(ContentHash.Of(Student()), expected);
    }

    [Fact]
    public void Any_number_of_ranks_matches_the_same_values()
    {
        DistillationOptions options = Options with { BatchStatistics = false };
        string Matched(ICollective ranks)
        {
            using var backend = new ManagedBackend(1);
            using var finetuner = new CodebookFinetuner(backend, TinyDetector.Teacher, TinyNetwork.Images(), options, ranks);
            return ContentHash.Of(finetuner.FinetuneGlobal(TinyDetector.Student(TinyDetector.Teacher)));
        }

        string expected = Matched(new SingleRank());
        Assert.All(ThreadRanks.Run(3, Matched).Results, actual => Assert.Equal(expected, actual));
    }

    /// <summary>What ranks do is one step on the whole batch, its statistics those of all its images, but for rounding.</summary>
    [Fact]
    public void Gradients_are_those_of_the_whole_batch()
    {
        Dictionary<string, float[]> expected = Gradients(null), actual = ThreadRanks.Run(4, ranks => Gradients(ranks)).Results[2];
        foreach ((string name, float[] gradient) in expected)
        {
            float largest = gradient.Max(Math.Abs);
            Assert.All(gradient.Zip(actual[name]), p => Assert.InRange(Math.Abs(p.First - p.Second), 0, 1e-4f * largest + 1e-7f));
        }
    }

    [Fact]
    public void An_interrupted_training_goes_on_with_other_ranks()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            DistillationOptions options = Options with { Epochs = 3 };
            string expected = Train(new SingleRank(), options);
            Assert.ThrowsAny<OperationCanceledException>(() => ThreadRanks.Run(2, ranks => Train(ranks, options, folder: folder, stopAt: 4)));
            Assert.Single(Directory.GetFiles(folder));
            Assert.Equal(expected, ThreadRanks.Run(4, ranks => Train(ranks, options, threads: 2, folder: folder)).Results[1]);
            Assert.Empty(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static ModelGraph Student()
    {
        ModelGraph teacher = TestNetworks.Residual();
        return teacher.WithInitializers(new[] { "conv1.weight", "block.conv1.weight", "block.conv2.weight" }.Select(n => KeyValuePair.Create(n, (Initializer)Quantized((DenseTensor)teacher.Initializers[n]))));
    }

    private static string Train(ICollective ranks, DistillationOptions options, int threads = 1, string? folder = null, int stopAt = int.MaxValue)
    {
        using var stop = new CancellationTokenSource();
        using var backend = new ManagedBackend(threads);
        using var finetuner = new CodebookFinetuner(backend, TestNetworks.Residual(), TrainingSet.Load(new TestNetworks.Images(60)), options, ranks);
        var watch = new Steps(step =>
        {
            if (step >= stopAt)
                stop.Cancel();
        });
        ModelGraph student = finetuner.FinetuneLayer(Student(), "block.conv1.weight");
        return ContentHash.Of(finetuner.FinetuneGlobal(student, folder is null ? null : new(folder), stopAt < int.MaxValue ? watch : null, stop.Token));
    }

    private static Dictionary<string, float[]> Gradients(ICollective? ranks)
    {
        const int total = 24;
        var share = new BatchShare(ranks);
        (int first, int end) = share.Own(total);
        using var backend = new ManagedBackend(2);
        ModelGraph student = Student();
        using ITrainingModel model = backend.Create(student, 3, 8, 8, new() { Trainable = TrainableParameters.All(student), BatchStatistics = true, Collective = ranks });
        TrainingSet images = TrainingSet.Load(new TestNetworks.Images(total));
        float[] data = [.. Enumerable.Range(first, end - first).SelectMany(i => images.Image(i).ToArray())];
        int[] labels = [.. Enumerable.Range(first, end - first).Select(i => i % 12)];
        model.ComputeGradients(new(data, end - first, new LabelTarget(labels)) { Total = total, First = first });
        return TrainableParameters.All(student).ToDictionary(n => n, n => model.DenseGradient(n).ToArray());
    }

    private static QuantizedTensor Quantized(DenseTensor weight)
    {
        float[] values = weight.Span.ToArray();
        int blocks = values.Length / 9;
        return new(weight.Shape, 9, values[..(8 * 9)], [.. Enumerable.Range(0, blocks).Select(i => (ushort)(i % 8))]);
    }

    private sealed class Steps(Action<long> tell) : IProgress<DistillationProgress>
    {
        public void Report(DistillationProgress value) => tell(value.Step);
    }
}
