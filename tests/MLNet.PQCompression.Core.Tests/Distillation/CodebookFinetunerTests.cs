using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

public sealed class CodebookFinetunerTests : FinetunerFixture
{
    private static readonly DistillationOptions Options = new()
    {
        LayerSteps = 15, Epochs = 4, BatchSize = 16, Augmentation = new() { CropPadding = 1, Flip = true },
        LayerRate = new(0.02, new ConstantSchedule()), GlobalRate = new(0.02, new CosineSchedule()),
    };

    [Fact]
    public void Layer_steps_lower_the_divergence_and_touch_nothing_else()
    {
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, Options);
        ModelGraph tuned = finetuner.FinetuneLayer(TinyNetwork.Student, "conv2.weight");
        Assert.True(Divergence(tuned) < 0.8 * Divergence(TinyNetwork.Student));
        string[] changed = [.. tuned.Initializers.Keys.Where(n => !tuned.Initializers[n].ToDense().Span.SequenceEqual(TinyNetwork.Student.Initializers[n].ToDense().Span))];
        Assert.Equal(["conv2.weight"], changed);
        var q = (QuantizedTensor)tuned.Initializers["conv2.weight"];
        Assert.Equal(((QuantizedTensor)TinyNetwork.Student.Initializers["conv2.weight"]).Codes.ToArray(), q.Codes.ToArray());
        Assert.All(q.Codebook.ToArray(), x => Assert.Equal((float)(Half)x, x));
    }

    [Fact]
    public void Global_epochs_move_all_codebooks_and_the_running_statistics_alone()
    {
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, Options);
        ModelGraph tuned = finetuner.FinetuneGlobal(TinyNetwork.Student);
        string[] changed = [.. tuned.Initializers.Keys.Where(n => !tuned.Initializers[n].ToDense().Span.SequenceEqual(TinyNetwork.Student.Initializers[n].ToDense().Span))];
        Assert.Equal(
            ["bn1.running_mean", "bn1.running_var", "bn2.running_mean", "bn2.running_var", "bn3.running_mean", "bn3.running_var", "conv2.weight", "conv3.weight"], changed);
        Assert.True(Divergence(tuned) < Divergence(TinyNetwork.Student));
    }

    [Fact]
    public void Statistics_stay_where_that_is_asked_for()
    {
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, Options with { BatchStatistics = false, AnchorStatistics = true });
        ModelGraph tuned = finetuner.FinetuneGlobal(TinyNetwork.Student);
        string[] changed = [.. tuned.Initializers.Keys.Where(n => !tuned.Initializers[n].ToDense().Span.SequenceEqual(TinyNetwork.Student.Initializers[n].ToDense().Span))];
        Assert.Equal(["conv2.weight", "conv3.weight"], changed);
        Assert.True(Divergence(tuned) < Divergence(TinyNetwork.Student));
    }

    [Fact]
    public void Training_what_is_not_quantized_helps_further()
    {
        DistillationOptions options = Options with { Epochs = 20, Averaging = 0.9, Optimizer = new AdamOptions() };
        using var codebooks = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options);
        using var everything = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options with { TrainUncompressed = true });
        ModelGraph tuned = everything.FinetuneGlobal(TinyNetwork.Student);
        Assert.True(Divergence(tuned) < Divergence(codebooks.FinetuneGlobal(TinyNetwork.Student)));
        Assert.False(tuned.Initializers["conv1.weight"].ToDense().Span.SequenceEqual(TinyNetwork.Teacher.Initializers["conv1.weight"].ToDense().Span));
    }

    [Fact]
    public void What_suits_photographs_leaves_running_statistics_alone_and_lowers_the_divergence()
    {
        Assert.Same(DistillationOptions.AfterOutputAware, DistillationOptions.AfterOutputAwareFor(32, 224));
        DistillationOptions options = DistillationOptions.AfterOutputAwareFor(64, 64);
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options with { GlobalRate = options.GlobalRate with { LearningRate = 0.01 } });
        ModelGraph tuned = finetuner.FinetuneGlobal(TinyNetwork.Student);
        Assert.True(Divergence(tuned) < 0.8 * Divergence(TinyNetwork.Student));
        foreach (string statistic in tuned.Initializers.Keys.Where(n => n.Contains("running", StringComparison.Ordinal)))
            Assert.True(tuned.Initializers[statistic].ToDense().Span.SequenceEqual(TinyNetwork.Student.Initializers[statistic].ToDense().Span), statistic);
    }

    [Fact]
    public void Labels_are_an_ablation_and_must_be_there()
    {
        DistillationOptions options = Options with { Source = DistillationSource.Labels };
        Assert.Throws<ArgumentException>(() => new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options));
        Assert.Throws<ArgumentException>(() => new CodebookFinetuner(Backend, TinyNetwork.Teacher, TinyNetwork.Images(labels: true), options with { Augmentation = new() { MixedShare = 0.5f } }));
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, TinyNetwork.Images(labels: true), options);
        var losses = new Reports();
        finetuner.FinetuneGlobal(TinyNetwork.Student, progress: losses);
        Assert.Equal(8, losses.All[^1].Step);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_does_not()
    {
        float[] first = Codebook(Options), again = Codebook(Options), other = Codebook(Options with { Seed = 1 });
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);

        float[] Codebook(DistillationOptions options)
        {
            using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options);
            return ((QuantizedTensor)finetuner.FinetuneGlobal(TinyNetwork.Student).Initializers["conv2.weight"]).Codebook.ToArray();
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void An_interrupted_run_resumes_bit_identically(bool adamWithAveraging, bool unchangedImages)
    {
        DistillationOptions options = adamWithAveraging ? Options with { Optimizer = new AdamOptions(), Averaging = 0.9, TrainUncompressed = true } : Options;
        options = unchangedImages ? options with { Augmentation = Augmentation.None } : options;
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options);
        ModelGraph whole = finetuner.FinetuneGlobal(TinyNetwork.Student);
        var checkpoints = new CheckpointFolder(Folder);
        using var cancel = new CancellationTokenSource();
        var interrupting = new CountingBackend(Backend) { CancelAfter = 5, Cancel = cancel };
        using (var interrupted = new CodebookFinetuner(interrupting, TinyNetwork.Teacher, Images, options))
            Assert.ThrowsAny<OperationCanceledException>(() => interrupted.FinetuneGlobal(TinyNetwork.Student, checkpoints, cancellationToken: cancel.Token));
        Assert.EndsWith(".checkpoint", Assert.Single(Directory.GetFiles(Folder)), StringComparison.Ordinal);
        var counting = new CountingBackend(Backend);
        using var second = new CodebookFinetuner(counting, TinyNetwork.Teacher, Images, options);
        ModelGraph resumed = second.FinetuneGlobal(TinyNetwork.Student, checkpoints);
        foreach ((string name, Initializer initializer) in whole.Initializers)
            Assert.True(initializer.ToDense().Span.SequenceEqual(resumed.Initializers[name].ToDense().Span), name);
        Assert.Empty(Directory.GetFiles(Folder));
        Assert.Equal(4, counting.Updates); // of 8 steps, two epochs of two were saved
    }

    [Theory]
    [InlineData(40, 2)]
    [InlineData(41, 8)]
    public void The_teacher_looks_once_atImages_that_do_not_change(int unchangedFrom, int evaluations)
    {
        var counting = new CountingBackend(Backend);
        using (var finetuner = new CodebookFinetuner(counting, TinyNetwork.Teacher, Images, Options with { BatchSize = 20, Augmentation = null, UnchangedFrom = unchangedFrom }))
            finetuner.FinetuneGlobal(TinyNetwork.Student);
        Assert.Equal((evaluations, 8), (counting.Evaluations, counting.Updates));
    }

    [Fact]
    public void A_rate_that_diverges_is_told()
    {
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, Options with { Epochs = 50, GlobalRate = new(1e6, new ConstantSchedule()) });
        var e = Assert.Throws<NotFiniteNumberException>(() => finetuner.FinetuneGlobal(TinyNetwork.Student));
        Assert.Contains("learning rate", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dense_layer_cannot_be_tuned()
    {
        using var finetuner = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, Options);
        Assert.Throws<ArgumentException>(() => finetuner.FinetuneLayer(TinyNetwork.Student, "conv1.weight"));
    }

    private double Divergence(ModelGraph student)
    {
        using ITrainingModel model = Backend.Create(student, 3, 12, 12, TrainingSetup.Frozen), teacher = Backend.Create(TinyNetwork.Teacher, 3, 12, 12, TrainingSetup.Frozen);
        float[] images = [.. Enumerable.Range(0, Images.Count).SelectMany(i => Images.Image(i).ToArray())];
        float[] p = new float[Images.Count * 5], q = new float[p.Length];
        teacher.Evaluate(images, Images.Count, p);
        model.Evaluate(images, Images.Count, q);
        return Loss.Divergence(q, p, Images.Count, 1, new float[p.Length]);
    }

    private sealed class Reports : IProgress<DistillationProgress>
    {
        public List<DistillationProgress> All { get; } = [];

        public void Report(DistillationProgress value) => All.Add(value);
    }
}
