using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

public class ClassifierTrainerTests
{
    private static readonly ClassifierTrainingOptions Options = new() { Epochs = 12, BatchSize = 20, Rate = new(0.05, new CosineSchedule(0.1)), Augmentation = new() { Flip = true } };

    [Fact]
    public void A_fresh_network_learns_to_tell_bright_corners_apart()
    {
        using var backend = new ManagedBackend(2);
        ModelGraph trained = ClassifierTrainer.Train(backend, WeightInitializer.Initialize(TinyNetwork.Teacher, 1), TrainingSet.Load(new Corners(200, 0)), Options);
        var test = TrainingSet.Load(new Corners(100, 7));
        using ITrainingModel model = backend.Create(trained, 3, 12, 12, TrainingSetup.Frozen);
        var logits = new float[100 * 5];
        model.Evaluate(Enumerable.Range(0, 100).SelectMany(i => test.Image(i).ToArray()).ToArray(), 100, logits);
        int right = Enumerable.Range(0, 100).Count(i => System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(logits.AsSpan(i * 5, 5)) == test.Label(i));
        Assert.InRange(right, 95, 100);
    }

    [Fact]
    public void An_interrupted_training_resumes_bit_identically()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using var backend = new ManagedBackend(2);
            ModelGraph fresh = WeightInitializer.Initialize(TinyNetwork.Teacher, 1);
            var images = TrainingSet.Load(new Corners(40, 0));
            ModelGraph whole = ClassifierTrainer.Train(backend, fresh, images, Options);
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => ClassifierTrainer.Train(
                new CountingBackend(backend) { CancelAfter = 7, Cancel = cancel }, fresh, images, Options, new CheckpointFolder(folder), cancellationToken: cancel.Token));
            var counting = new CountingBackend(backend);
            ModelGraph resumed = ClassifierTrainer.Train(counting, fresh, images, Options, new CheckpointFolder(folder));
            Assert.Equal(24 - 6, counting.Updates);
            foreach ((string name, Initializer initializer) in whole.Initializers)
                Assert.True(initializer.ToDense().Span.SequenceEqual(resumed.Initializers[name].ToDense().Span), name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Images_without_labels_are_refused()
    {
        using var backend = new ManagedBackend(1);
        Assert.Throws<ArgumentException>(() => ClassifierTrainer.Train(backend, TinyNetwork.Teacher, TinyNetwork.Images()));
    }

    [Fact]
    public void An_untrained_architecture_has_the_shapes_of_its_weights_and_fresh_ones_the_right_spread()
    {
        ModelGraph graph = WeightInitializer.Initialize(Architecture.Find("resnet20").Untrained(10), 3);
        Assert.Equal(new TensorShape(10, 64), graph.Initializers["linear.weight"].Shape);
        float[] weights = graph.Initializers["layer3.0.conv2.weight"].ToDense().ToArray();
        Assert.Equal(0, weights.Average(), 2e-3);
        Assert.Equal(Math.Sqrt(2.0 / (64 * 9)), Math.Sqrt(weights.Average(w => w * w)), 1e-3);
        Assert.All(graph.Initializers["bn1.weight"].ToDense().ToArray(), w => Assert.Equal(1, w));
        Assert.All(graph.Initializers["bn1.running_var"].ToDense().ToArray(), w => Assert.Equal(1, w));
    }

    /// <summary>Noise with one of five places lit up: the class, which a flip keeps.</summary>
    private sealed class Corners(int count, int seed) : ISampleSource
    {
        public int Channels => 3;

        public int Height => 12;

        public int Width => 12;

        public int? Count => count;

        public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
        {
            float[] data = GradientCheck.Values(count * 432, seed, 0.3f);
            int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 5)];
            for (int n = 0; n < count; n++)
                for (int y = 0; y < 12; y++)
                    for (int x = 0; x < 12; x++)
                        if ((labels[n] == 4 && y is > 4 and < 7) || (labels[n] < 3 && x is > 3 and < 8 && y / 4 == labels[n]) || (labels[n] == 3 && x is < 3 or > 8))
                            data[n * 432 + (labels[n] % 3 * 12 + y) * 12 + x] += 1;
            yield return new(data, count, [.. labels.Select((_, i) => $"{i}")], labels);
        }
    }
}
