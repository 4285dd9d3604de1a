using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Distillation;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>Optimizers, distillation, training and whole compressions, torch against managed.</summary>
public sealed class TrainingConformanceTests : TorchTest
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public static IEnumerable<object[]> Rules => [[new SgdOptions()], [new AdamOptions(WeightDecay: 0.01)], [new AdamOptions(Relative: true)]];

    public override void Dispose()
    {
        base.Dispose();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public void Ranks_do_not_train_together_here()
    {
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(TinyNetwork.Student), Collective = new SingleRank() };
        Assert.Contains("managed backend", Assert.Throws<ArgumentException>(() => Torch.Create(TinyNetwork.Student, 3, 12, 12, setup)).Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Rules))]
    public void Optimizers_move_parameters_alike(OptimizerOptions rule)
    {
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(TinyNetwork.Student), Optimizer = rule, DenseRateFactor = 0.5 };
        using ITrainingModel torch = Torch.Create(TinyNetwork.Student, 3, 12, 12, setup), managed = Managed.Create(TinyNetwork.Student, 3, 12, 12, setup);
        TrainingSet images = TinyNetwork.Images(16, labels: true);
        var batch = new TrainingBatch(images.Image(0).ToArray().Concat(images.Image(1).ToArray()).ToArray(), 2, new LabelTarget(new[] { 1, 3 }));
        for (int step = 0; step < 4; step++)
        {
            Assert.Equal(managed.ComputeGradients(batch), torch.ComputeGradients(batch), 1e-4);
            managed.Update(0.01);
            torch.Update(0.01);
        }
        foreach (string name in managed.Parameters)
            Close(managed.Values(name), torch.Values(name), 2e-3, name);
        OptimizerState expected = managed.GetOptimizerState(), actual = torch.GetOptimizerState();
        Assert.Equal(expected.Steps, actual.Steps);
        Assert.Equal(expected.Slots.Select(s => (s.Key, s.Value.Length)), actual.Slots.Select(s => (s.Key, s.Value.Length)));
        torch.SetOptimizerState(expected);
        Assert.Equal(expected.Slots["fc.bias"].AsSpan(), torch.GetOptimizerState().Slots["fc.bias"].AsSpan());
    }

    [SkippableFact]
    public void Codes_and_values_can_be_replaced()
    {
        var setup = new TrainingSetup { Trainable = TrainableParameters.Codebooks(TinyNetwork.Student) };
        using ITrainingModel torch = Torch.Create(TinyNetwork.Student, 3, 12, 12, setup), managed = Managed.Create(TinyNetwork.Student, 3, 12, 12, setup);
        var random = new Random(5);
        ushort[] codes = [.. Enumerable.Range(0, 128).Select(_ => (ushort)random.Next(11))]; // code 11 is left without blocks
        foreach (ITrainingModel model in new[] { torch, managed })
        {
            model.SetCodes("conv2.weight", codes);
            model.SetValues("conv3.weight", GradientCheck.Values(12 * 9, 7));
            Assert.Throws<ArgumentException>(() => model.SetCodes("conv2.weight", codes.AsSpan(1)));
            Assert.Throws<ArgumentException>(() => model.SetCodes("conv2.weight", [.. codes.Skip(1), (ushort)12]));
            Assert.Throws<ArgumentException>(() => model.SetValues("conv3.weight", new float[3]));
            Assert.Throws<KeyNotFoundException>(() => model.Gradient("fc.bias"));
        }
        float[] images = GradientCheck.Values(2 * 432, 3), expected = new float[10], actual = new float[10];
        managed.Evaluate(images, 2, expected);
        torch.Evaluate(images, 2, actual);
        Close(expected, actual, 1e-5, "logits");
        var batch = new TrainingBatch(images, 2, new TeacherTarget(GradientCheck.Values(10, 4)));
        managed.ComputeGradients(batch);
        torch.ComputeGradients(batch);
        Close(managed.Gradient("conv2.weight"), torch.Gradient("conv2.weight"), 1e-4, "gradient of the codebook");
        Assert.Equal(new float[9], torch.Gradient("conv2.weight")[(11 * 9)..].ToArray());
        var written = (QuantizedTensor)torch.ToGraph().Initializers["conv2.weight"];
        Assert.Equal(codes, written.Codes.ToArray());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Distillation_ends_at_the_same_student(bool all)
    {
        var options = new DistillationOptions { LayerSteps = 4, Epochs = 2, BatchSize = 20, TrainUncompressed = all, AnchorStatistics = all, Optimizer = all ? new AdamOptions() : new SgdOptions() };
        ModelGraph expected = Distill(Managed, options), actual = Distill(Torch, options);
        Assert.NotEqual(TinyNetwork.Student.Initializers["conv2.weight"].ToDense().ToArray(), actual.Initializers["conv2.weight"].ToDense().ToArray());
        foreach ((string name, Initializer initializer) in expected.Initializers)
            Close(initializer.ToDense().Span, actual.Initializers[name].ToDense().Span, all ? 0.05 : 5e-3, name);
    }

    [SkippableFact]
    public void Distillation_of_a_detector_ends_at_the_same_student()
    {
        var options = new DistillationOptions { LayerSteps = 0, Epochs = 2, BatchSize = 20, TrainUncompressed = true, BatchStatistics = false, Optimizer = new AdamOptions(), GlobalRate = new(0.003, new ConstantSchedule()) };
        ModelGraph Distilled(ITrainingBackend backend)
        {
            using var finetuner = new CodebookFinetuner(backend, TinyDetector.WithForeignNodes, TinyNetwork.Images(), options);
            return finetuner.FinetuneGlobal(TinyDetector.Student(TinyDetector.WithForeignNodes));
        }

        ModelGraph expected = Distilled(Managed), actual = Distilled(Torch);
        Assert.NotEqual(TinyDetector.Student(TinyDetector.Teacher).Initializers["down.weight"].ToDense().ToArray(), actual.Initializers["down.weight"].ToDense().ToArray());
        foreach ((string name, Initializer initializer) in expected.Initializers)
            Close(initializer.ToDense().Span, actual.Initializers[name].ToDense().Span, 0.02, name);
    }

    [SkippableFact]
    public void An_interrupted_distillation_ends_bit_identically()
    {
        var options = new DistillationOptions { Epochs = 4, BatchSize = 20, Reassignment = new(10), Averaging = 0.9 };
        TrainingSet images = TinyNetwork.Images();
        using var whole = new CodebookFinetuner(Torch, TinyNetwork.Teacher, images, options);
        ModelGraph expected = whole.FinetuneGlobal(TinyNetwork.Student);
        var folder = new CheckpointFolder(_folder);
        using var cancel = new CancellationTokenSource();
        var cancelling = new CountingBackend(Torch) { CancelAfter = 5, Cancel = cancel }; // in the third of four epochs of two steps
        using (var interrupted = new CodebookFinetuner(cancelling, TinyNetwork.Teacher, images, options))
            Assert.ThrowsAny<OperationCanceledException>(() => interrupted.FinetuneGlobal(TinyNetwork.Student, folder, null, cancel.Token));
        ModelGraph resumed = whole.FinetuneGlobal(TinyNetwork.Student, folder);
        foreach ((string name, Initializer initializer) in expected.Initializers)
            Assert.Equal(initializer.ToDense().ToArray(), resumed.Initializers[name].ToDense().ToArray());
    }

    [SkippableFact]
    public void Training_from_nothing_learns_alike()
    {
        var options = new ClassifierTrainingOptions { Epochs = 3, BatchSize = 20, Augmentation = Augmentation.None };
        List<double> Losses(ITrainingBackend backend)
        {
            var losses = new List<double>();
            ModelGraph trained = ClassifierTrainer.Train(backend, TinyNetwork.Teacher, TinyNetwork.Images(40, labels: true), options, progress: new Immediate(p => losses.Add(p.Loss)));
            losses.Add(trained.Initializers["bn3.running_mean"].ToDense().Span[0]);
            return losses;
        }

        List<double> expected = Losses(Managed), actual = Losses(Torch);
        Assert.Equal(expected[^2], actual[^2], 0.05 * expected[^2]);
        Assert.Equal(expected[^1], actual[^1], 0.05);
    }

    [SkippableTheory]
    [InlineData(CompressionMethod.Output)]
    [InlineData(CompressionMethod.Paper)]
    [InlineData(CompressionMethod.Plain)]
    public void A_compression_ends_at_the_same_errors(CompressionMethod method)
    {
        _ = Torch;
        ModelGraph teacher = TestNetworks.Residual();
        var options = new CompressionOptions { Method = method, Seed = 3, Threads = 1, Distillation = new() { LayerSteps = 2, Epochs = 1, BatchSize = 20 } };
        CompressionResult expected = Compress(teacher, options), actual = Compress(teacher, options with { Backend = threads => new TorchBackend(new() { Device = Device, Threads = threads }) });
        foreach ((LayerReport own, LayerReport other) in expected.Report.Layers.Zip(actual.Report.Layers))
            Assert.InRange(other.RelativeError ?? 0, 0.7 * own.RelativeError ?? 0, 1.1 * own.RelativeError ?? 0); // searches end in other places
        ModelGraph again = Compress(teacher, options with { Backend = threads => new TorchBackend(new() { Device = Device, Threads = threads }) }).Student;
        // A GPU adds the gradients of a codeword's blocks in whatever order they come.
        foreach ((string name, Initializer initializer) in actual.Student.Initializers.Where(_ => Device == "cpu"))
            Assert.Equal(initializer.ToDense().ToArray(), again.Initializers[name].ToDense().ToArray());
    }

    [SkippableFact]
    public void Replicas_take_a_part_of_the_batch_each()
    {
        _ = Torch;
        using var two = new TorchBackend(new() { Device = Device, FurtherDevices = [Device], Threads = 1 });
        Assert.Contains(" and ", two.Name, StringComparison.Ordinal);
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(TinyNetwork.Student), Optimizer = new AdamOptions() };
        using ITrainingModel replicated = two.Create(TinyNetwork.Student, 3, 12, 12, setup), single = Torch.Create(TinyNetwork.Student, 3, 12, 12, setup);
        var batch = new TrainingBatch(GradientCheck.Values(7 * 432, 3), 7, new TeacherTarget(GradientCheck.Values(35, 4)));
        for (int step = 0; step < 3; step++)
        {
            Assert.Equal(single.ComputeGradients(batch), replicated.ComputeGradients(batch), 1e-5);
            Close(single.Gradient("conv2.weight"), replicated.Gradient("conv2.weight"), 2e-3, "gradient");
            single.Update(0.001);
            replicated.Update(0.001);
        }
        float[] expected = new float[35], actual = new float[35];
        single.Evaluate(batch.Images, 7, expected);
        replicated.Evaluate(batch.Images, 7, actual);
        Close(expected, actual, 1e-3, "logits");
    }

    [SkippableFact]
    public void Bfloat16_comes_near()
    {
        _ = Torch;
        using var reduced = new TorchBackend(new() { Device = Device, TrainInBFloat16 = true, Threads = 1 });
        var setup = new TrainingSetup { Trainable = TrainableParameters.All(TinyNetwork.Student), BatchStatistics = true };
        using ITrainingModel half = reduced.Create(TinyNetwork.Student, 3, 12, 12, setup), full = Torch.Create(TinyNetwork.Student, 3, 12, 12, setup);
        var batch = new TrainingBatch(GradientCheck.Values(8 * 432, 3), 8, new TeacherTarget(GradientCheck.Values(40, 4)));
        Assert.Equal(full.ComputeGradients(batch), half.ComputeGradients(batch), 0.05);
        Assert.NotEqual(full.Gradient("conv2.weight").ToArray(), half.Gradient("conv2.weight").ToArray());
        Close(full.Gradient("fc.weight"), half.Gradient("fc.weight"), 0.2, "gradient");
    }

    private static CompressionResult Compress(ModelGraph teacher, CompressionOptions options) => ModelCompressor.Compress(teacher, new TestNetworks.Images(60), options);

    private static ModelGraph Distill(ITrainingBackend backend, DistillationOptions options)
    {
        using var finetuner = new CodebookFinetuner(backend, TinyNetwork.Teacher, TinyNetwork.Images(), options);
        return finetuner.FinetuneGlobal(finetuner.FinetuneLayer(TinyNetwork.Student, "conv2.weight"));
    }

    private sealed class Immediate(Action<DistillationProgress> action) : IProgress<DistillationProgress>
    {
        public void Report(DistillationProgress value) => action(value);
    }
}
