using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

public sealed class CodeReassignmentTests : FinetunerFixture
{
    private const string Weight = "conv3.weight";

    /// <summary>Codewords that all but stand still, and time for codes alone.</summary>
    private static readonly DistillationOptions CodesAlone = new()
    {
        Epochs = 100, BatchSize = 40, Augmentation = Augmentation.None, GlobalRate = new(1e-9, new ConstantSchedule()), Reassignment = new(10, Certainty: 0, Until: 1),
    };

    [Theory]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(222)]
    [InlineData(160)]
    public void A_wrong_code_is_found_and_put_right(int place)
    {
        ModelGraph teacher = Anchored();
        var right = (QuantizedTensor)teacher.Initializers[Weight];
        ushort[] wrong = right.Codes.ToArray();
        wrong[place] = (ushort)((wrong[place] + 5) % right.Codewords);
        ModelGraph tuned = Tune(teacher, With(teacher, right, wrong), CodesAlone);
        Assert.Equal(Codes(teacher), Codes(tuned));
    }

    [Fact]
    public void Right_codes_stay() =>
        Assert.Equal(Codes(Anchored()), Codes(Tune(Anchored(), Anchored(), CodesAlone with { Epochs = 20 })));

    [Fact]
    public void Codes_stay_where_no_interval_ends_in_time() =>
        Assert.Equal(Codes(TinyNetwork.Student), Codes(Tune(TinyNetwork.Teacher, TinyNetwork.Student, CodesAlone with { Reassignment = new(11, Certainty: 0, Until: 0.1), Epochs = 100 })));

    [Fact]
    public void An_interval_needs_ten_steps() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Tune(TinyNetwork.Teacher, TinyNetwork.Student, CodesAlone with { Reassignment = new(9) }));

    [Fact]
    public void An_interrupted_run_resumes_bit_identically_in_the_middle_of_an_interval()
    {
        DistillationOptions options = CodesAlone with
        {
            Epochs = 12,
            BatchSize = 16,
            GlobalRate = new(0.02, new CosineSchedule()),
            Reassignment = new(10, Certainty: 0, Until: 1),
            Averaging = 0.9,
            TrainUncompressed = true,
        };
        ModelGraph whole = Tune(TinyNetwork.Teacher, TinyNetwork.Student, options);
        Assert.NotEqual(Codes(TinyNetwork.Student), Codes(whole));
        var checkpoints = new CheckpointFolder(Folder);
        using var cancel = new CancellationTokenSource();
        var interrupting = new CountingBackend(Backend) { CancelAfter = 15, Cancel = cancel }; // seven epochs of two steps are saved: four steps into an interval
        using (var interrupted = new CodebookFinetuner(interrupting, TinyNetwork.Teacher, Images, options))
            Assert.ThrowsAny<OperationCanceledException>(() => interrupted.FinetuneGlobal(TinyNetwork.Student, checkpoints, cancellationToken: cancel.Token));
        using var second = new CodebookFinetuner(Backend, TinyNetwork.Teacher, Images, options);
        ModelGraph resumed = second.FinetuneGlobal(TinyNetwork.Student, checkpoints);
        foreach ((string name, Initializer initializer) in whole.Initializers)
            Assert.True(initializer.ToDense().Span.SequenceEqual(resumed.Initializers[name].ToDense().Span), name);
        Assert.Equal(Codes(whole), Codes(resumed));
    }

    /// <summary>The quantized network with the running statistics of all images, so that it computes the same with a batch of them all.</summary>
    private ModelGraph Anchored() => StatisticsAnchor.Apply(Backend, TinyNetwork.Student, Images, new BatchStream(Images, Images.Count, Augmentation.None, 0).Read(0, 1));

    private ModelGraph Tune(ModelGraph teacher, ModelGraph student, DistillationOptions options)
    {
        using var finetuner = new CodebookFinetuner(Backend, teacher, Images, options);
        return finetuner.FinetuneGlobal(student);
    }

    private static ModelGraph With(ModelGraph graph, QuantizedTensor q, ushort[] codes) =>
        graph.WithInitializers([KeyValuePair.Create<string, Initializer>(Weight, new QuantizedTensor(q.Shape, q.BlockSize, q.Codebook.ToArray(), codes))]);

    private static int[] Codes(ModelGraph graph) =>
        [.. graph.Initializers.Values.OfType<QuantizedTensor>().SelectMany(q => q.Codes.ToArray()).Select(c => (int)c)];
}
