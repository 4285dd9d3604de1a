using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Inference.Plan;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Inference;

public sealed class InferenceSessionTests
{
    public static IEnumerable<object[]> Models() =>
        Enum.GetValues<SampleModel>().SelectMany(m => SimdLevels.Supported.Select(level => new object[] { m.ToString(), level.ToString() }));

    [Theory]
    [MemberData(nameof(Models))]
    public void EqualsTheNodeByNodeEvaluation(string model, string level)
    {
        ModelGraph graph = SampleModels.Make(Enum.Parse<SampleModel>(model));
        foreach (int count in new[] { 1, 3, 11 })
        {
            Activation images = OneNode.Random(count, [count, .. graph.Input.Shape.Dimensions.Skip(1)]);
            float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
            float[]? first = null;
            foreach (int threads in new[] { 1, 3 })
            {
                using var session = new InferenceSession(graph, new() { Threads = threads, Level = Enum.Parse<SimdLevel>(level) });
                var actual = new float[count * session.OutputLength];
                session.Run(images.Span, count, actual);
                AssertClose(expected, actual);
                first ??= actual;
                Assert.Equal(first, actual);
                session.Run(images.Span, count, actual);
                Assert.Equal(first, actual);
            }
        }
    }

    [Theory]
    [InlineData(SampleModel.BasicBlocks, 1e-5)]
    [InlineData(SampleModel.Wide, 1e-5)]
    [InlineData(SampleModel.CifarShortcuts, 1e-5)]
    [InlineData(SampleModel.Dense, 1e-5)]
    public void EveryAlgorithmGivesTheSame(SampleModel model, double tolerance)
    {
        ModelGraph graph = SampleModels.Make(model);
        foreach (int count in new[] { 1, 5 })
        {
            Activation images = OneNode.Random(count, [count, .. graph.Input.Shape.Dimensions.Skip(1)]);
            float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
            foreach (SimdLevel level in SimdLevels.Supported)
                foreach (ConvolutionAlgorithm algorithm in Enum.GetValues<ConvolutionAlgorithm>())
                {
                    using var session = new InferenceSession(graph, new() { Threads = 2, Level = level, Algorithm = algorithm });
                    var actual = new float[count * session.OutputLength];
                    session.Run(images.Span, count, actual);
                    AssertClose(expected, actual, tolerance, $"{level} {algorithm}");
                }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void GroupsOfABatchAreComputedByThreadsOfTheirOwnAndTheRestTogether(int maxBatch)
    {
        ModelGraph graph = SampleModels.Make(SampleModel.Wide);
        Activation images = OneNode.Random(3, [11, .. graph.Input.Shape.Dimensions.Skip(1)]);
        float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var session = new InferenceSession(graph, new() { Threads = threads, MaxBatch = maxBatch });
            var actual = new float[11 * session.OutputLength];
            session.Run(images.Span, 11, actual);
            return actual;
        })];
        AssertClose(expected, results[0], 1e-5);
        Assert.All(results, r => Assert.Equal(results[0], r));
    }

    [Fact]
    public void TuningChangesNoMoreThanTheLastBits()
    {
        ModelGraph graph = SampleModels.Make(SampleModel.Wide);
        Activation images = OneNode.Random(4, [3, .. graph.Input.Shape.Dimensions.Skip(1)]);
        float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
        using var session = new InferenceSession(graph, new() { Threads = 2, Tune = true });
        var actual = new float[3 * session.OutputLength];
        session.Run(images.Span, 3, actual);
        AssertClose(expected, actual, 1e-5);
        using var other = new InferenceSession(graph, new() { Threads = 1, Tune = true });
        var again = new float[actual.Length];
        other.Run(images.Span, 3, again);
        Assert.Equal(actual, again);
    }

    [Fact]
    public void SeveralThreadsMayUseOneSession()
    {
        ModelGraph graph = SampleModels.Make(SampleModel.BasicBlocks);
        using var session = new InferenceSession(graph, new() { Threads = 2 });
        Activation images = OneNode.Random(1, [4, .. graph.Input.Shape.Dimensions.Skip(1)]);
        int length = images.Span.Length / 4, outputs = session.OutputLength;
        var expected = new float[4 * outputs];
        for (int i = 0; i < 4; i++)
            session.Run(images.Span.Slice(i * length, length), 1, expected.AsSpan(i * outputs, outputs));
        Parallel.For(0, 40, n =>
        {
            var actual = new float[outputs];
            session.Run(images.Span.Slice(n % 4 * length, length), 1, actual);
            Assert.Equal(expected.AsSpan(n % 4 * outputs, outputs).ToArray(), actual);
        });
    }

    [Fact]
    public void SteadyStateAllocatesNothing()
    {
        ModelGraph graph = SampleModels.Make(SampleModel.BasicBlocks);
        using var session = new InferenceSession(graph, new() { Threads = 1 });
        float[] images = OneNode.Random(1, [2, .. graph.Input.Shape.Dimensions.Skip(1)]).Span.ToArray(), outputs = new float[2 * session.OutputLength];
        for (int i = 0; i < 3; i++)
            session.Run(images, 2, outputs);
        // A collection that another test brings about throws away what is left of this thread's allocation buffer, and counts it as allocated (up to 8 KB).
        // What the session allocates shows in every round.
        Assert.Equal(0, Enumerable.Range(0, 5).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++)
                session.Run(images, 2, outputs);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
    }

    [Fact]
    public void MisuseIsRefused()
    {
        ModelGraph graph = SampleModels.Make(SampleModel.BasicBlocks);
        using var session = new InferenceSession(graph);
        var image = new float[session.InputShape.Count];
        Assert.Throws<ArgumentException>("images", () => session.Run(image, 2, new float[100]));
        Assert.Throws<ArgumentException>("outputs", () => session.Run(image, 1, new float[session.OutputLength - 1]));
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run(image, 1, new float[session.OutputLength]));
    }

    [Fact]
    public void AnOpenImageSizeMustBeGiven()
    {
        var maker = new GraphMaker(1);
        ModelGraph graph = maker.Build(maker.Conv("x", 3, 4, Window.Square(3)), 3, -1, -1);
        using var open = new InferenceSession(graph);
        Assert.Contains("3×?×?", Assert.Throws<InvalidModelException>(() => open.OutputLength).Message);
        Assert.Contains("3×?×?", Assert.Throws<InvalidModelException>(() => open.Run(new float[192], 1, new float[144])).Message);
        using var session = new InferenceSession(graph, new() { InputShape = new(3, 8, 9) });
        Assert.Equal(new TensorShape(4, 6, 7), session.OutputShape);
    }

    [Fact]
    public void ImagesOfAnySizeAreScored()
    {
        var maker = new GraphMaker(2);
        ModelGraph graph = maker.Build(maker.Relu(maker.Conv("x", 3, 20, Window.Square(3, 1, 1))), 3, -1, -1);
        using var session = new InferenceSession(graph, new() { Threads = 2 });
        Activation[] images = [.. Enumerable.Range(0, 7).Select(i => OneNode.Random(i, 1 + i % 3, 3, 6 + i, 9 - i))];
        IReadOnlyList<IReadOnlyDictionary<string, Activation>> results = session.Run([.. images, images[0]]);
        for (int i = 0; i < results.Count; i++)
        {
            Activation x = images[i % images.Length], expected = new NodeEvaluator(graph).EvaluateAll(x).Single(), actual = results[i][graph.OutputName];
            Assert.Equal(expected.Shape, actual.Shape);
            AssertClose(expected.Span.ToArray(), actual.Span.ToArray(), 1e-5);
        }
        Assert.Contains("4×6×6", Assert.Throws<InvalidModelException>(() => session.Run(OneNode.Random(1, 1, 4, 6, 6))).Message);
    }

    [Fact]
    public void OutputsAreNamed()
    {
        var maker = new GraphMaker(3);
        string a = maker.Relu(maker.Conv("x", 3, 5, Window.Square(3, 2, 1))), b = maker.Add(new Flatten(), maker.Add(new GlobalAveragePool(), a));
        string rows = maker.Add(new Reshape([-1, 5]), maker.Add(new Transpose([0, 2, 3, 1]), a));
        ModelGraph one = maker.Build(rows, 3, 8, 8);
        var graph = new ModelGraph("three", one.Input, [new(b, default), new(rows, default), new(a, default)], one.Nodes, one.Initializers);
        Activation images = OneNode.Random(1, 3, 3, 8, 8);
        Activation[] expected = new NodeEvaluator(graph).EvaluateAll(images);
        using var session = new InferenceSession(graph, new() { Threads = 2 });
        Assert.Equal([new(b, new(5)), new(rows, new(16, 5)), new(a, new(5, 4, 4))], session.Outputs.AsEnumerable());
        IReadOnlyDictionary<string, Activation> results = session.Run(images);
        for (int i = 0; i < 3; i++)
            AssertClose(expected[i].Span.ToArray(), results[graph.Outputs[i].Name].Span.ToArray(), 1e-5);
        var second = new float[3 * 80];
        session.Run(images.Span, 3, [Memory<float>.Empty, second, Memory<float>.Empty]);
        Assert.Equal(results[rows].Span.ToArray(), second);
        Assert.Contains("3 outputs", Assert.Throws<InvalidModelException>(() => session.OutputLength).Message);
        Assert.Throws<ArgumentException>(() => session.Run(images.Span, 3, [second]));
        Assert.Throws<ArgumentException>(() => session.Run(images.Span, 3, [second, second.AsMemory(1), second]));
        using var chosen = new InferenceSession(graph, new() { Outputs = [b] });
        var pooled = new float[15];
        chosen.Run(images.Span, 3, pooled);
        Assert.Equal(results[b].Span.ToArray(), pooled);
        Assert.Contains("nothing", Assert.Throws<InvalidModelException>(() => new InferenceSession(graph, new() { Outputs = ["nothing"] })).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_pixel_may_be_read_as_an_image_with_a_border_and_as_a_matrix(int blockSize)
    {
        var maker = new GraphMaker(3);
        string pooled = maker.Add(new GlobalAveragePool(), "x"), flat = maker.Add(new Flatten(), pooled);
        string around = maker.Add(new Flatten(), maker.Conv(pooled, 40, 40, Window.Square(3, 1, 1)));
        string sum = maker.Add(new Binary(BinaryFunction.Add), maker.Linear(flat, 40, 40, blockSize), flat); // Added to what may have a border.
        ModelGraph graph = maker.Build(maker.Add(new Concat(1), sum, around), 40, 3, 3);
        Activation image = OneNode.Random(4, 5, 40, 3, 3);
        float[] expected = new NodeEvaluator(graph).EvaluateAll(image)[0].Span.ToArray();
        foreach (int batch in (int[])[1, 5])
        {
            using var session = new InferenceSession(graph, new() { Threads = 1 });
            float[] scores = new float[batch * 80];
            session.Run(image.Span[..(batch * 360)], batch, scores);
            AssertClose(expected[..scores.Length], scores);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_pixel_between_convolutions_may_have_a_border(int blockSize)
    {
        var maker = new GraphMaker(7);
        string pooled = maker.Add(new GlobalAveragePool(), "x"), squeezed = maker.Conv(pooled, 40, 40, Window.Square(1), blockSize: blockSize);
        string sum = maker.Add(new Binary(BinaryFunction.Add), maker.Conv(squeezed, 40, 40, Window.Square(1), blockSize: blockSize), pooled);
        string wide = maker.Conv(maker.Relu(sum), 40, 40, Window.Square(3, 1, 1)), wider = maker.Conv(squeezed, 40, 40, Window.Square(5, 1, 2));
        ModelGraph graph = maker.Build(maker.Add(new Concat(1), wide, wider), 40, 3, 3);
        Activation image = OneNode.Random(8, 5, 40, 3, 3);
        float[] expected = new NodeEvaluator(graph).EvaluateAll(image)[0].Span.ToArray();
        foreach (int batch in (int[])[1, 5, 5])
        {
            using var session = new InferenceSession(graph, new() { Threads = 1 });
            float[] scores = new float[batch * 80];
            session.Run(image.Span[..(batch * 360)], batch, scores);
            AssertClose(expected[..scores.Length], scores);
        }
    }

    [Fact]
    public void A_pointwise_convolution_of_many_pixels_keeps_its_tiles()
    {
        var maker = new GraphMaker(5);
        ModelGraph graph = maker.Build(maker.Add(new GlobalMaxPool(), maker.Conv(maker.Relu("x"), 2, 1, Window.Square(1))), 2, 450, 450);
        Activation image = OneNode.Random(6, 1, 2, 450, 450);
        using var session = new InferenceSession(graph, new() { Threads = 1 });
        float[] score = new float[1];
        session.Run(image.Span, 1, score);
        AssertClose(new NodeEvaluator(graph).EvaluateAll(image)[0].Span.ToArray(), score);
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance = 1e-4, string what = "")
    {
        double scale = tolerance * expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= scale, $"{what} output {i} is {actual[i]}, not {expected[i]}");
    }
}
