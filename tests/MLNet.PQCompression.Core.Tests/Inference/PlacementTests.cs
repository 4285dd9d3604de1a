using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Inference;

/// <summary>Steps that move or mix whole pixels, against the evaluator: images of more channels than a block has, at all places relative to the blocks.</summary>
public sealed class PlacementTests
{
    public static TheoryData<string, Operator> Operators
    {
        get
        {
            var data = new TheoryData<string, Operator>
            {
                { "pad", new Pad([0, 0, 2, 1], [0, 0, 1, 3], 9) },
                { "pad and cut", new Pad([0, 0, -2, 3], [0, 0, 4, -1], 9) },
                { "pad beyond the image", new Pad([0, 0, -8, 0], [0, 0, 3, 0], 9) },
                { "pad channels by a block", new Pad([0, 16, 1, 0], [0, 0, 0, 1], 9) },
                { "pad channels by less", new Pad([0, 3, 0, 0], [0, 5, 0, 0], 9) },
                { "cut channels", new Pad([0, -16, 0, 0], [0, -7, 0, 0], 9) },
                { "every other pixel", new Slice([new(2, 0, int.MaxValue, 2), new(3, 1, int.MaxValue, 2)]) },
                { "every third row", new Slice([new(2, 1, -1, 3)]) },
                { "the second block", new Slice([new(1, 16, 32), new(3, 2, 7)]) },
                { "a part of a block", new Slice([new(1, 16, 29)]) },
                { "channels across blocks", new Slice([new(1, 5, 30)]) },
            };
            foreach (Interpolation mode in Enum.GetValues<Interpolation>())
                foreach (ResizeCoordinates coordinates in new[] { ResizeCoordinates.HalfPixel, ResizeCoordinates.AlignCorners, ResizeCoordinates.Asymmetric })
                    foreach ((float y, float x) in new[] { (2f, 3f), (0.6f, 0.45f), (1f, 1.7f), (5f, 1f) })
                        data.Add($"{mode} {coordinates} {y} {x}", new Resize(mode, coordinates, ResizeRounding.RoundPreferFloor, [1, 1, y, x], []));
            data.Add("resize channels too", new Resize(Interpolation.Linear, ResizeCoordinates.HalfPixel, ResizeRounding.RoundPreferFloor, [1, 2, 2, 1], []));
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void The_session_gives_what_the_evaluator_gives(string kind, Operator op)
    {
        foreach (int channels in new[] { 37, 32, 3 })
        {
            if (channels == 3 && op is Slice { Ranges: var ranges } && ranges.Any(r => r.Axis == 1) || channels == 3 && op is Pad { Before: var before } && before[1] < 0)
                continue; // What they take is not there.
            var maker = new GraphMaker(1);
            // Functions in front and behind, so that values are blocked, have absent channels and are read by others.
            ModelGraph graph = maker.Build(maker.Relu(maker.Add(op, maker.Add(new LeakyRelu(0.5f), "x"))), channels, 9, 8);
            Activation images = OneNode.Random(channels, 3, channels, 9, 8);
            Activation expected = new NodeEvaluator(graph).EvaluateAll(images).Single();
            foreach (int threads in new[] { 1, 3 })
            {
                using var session = new InferenceSession(graph, new() { Threads = threads, MaxBatch = 2 });
                var actual = new float[3 * session.OutputLength];
                session.Run(images.Span, 3, actual);
                Assert.Equal(expected.Span.Length, actual.Length);
                for (int i = 0; i < actual.Length; i++)
                    Assert.True(MathF.Abs(expected.Span[i] - actual[i]) <= 1e-5f, $"{kind}, {channels} channels: {actual[i]} at {i}, not {expected.Span[i]}");
            }
        }
    }

    [Fact]
    public void Concatenations_at_any_channel()
    {
        foreach (int[] parts in new int[][] { [16, 5], [5, 16], [32, 16, 3], [17, 1, 16] })
        {
            var maker = new GraphMaker(2);
            string[] pieces = [.. parts.Select(n => maker.Add(new LeakyRelu(0.5f), maker.Conv("x", 3, n, Window.Square(1))))];
            ModelGraph graph = maker.Build(maker.Conv(maker.Add(new Concat(1), pieces), parts.Sum(), 4, Window.Square(3, 1, 1)), 3, 6, 7);
            Activation images = OneNode.Random(3, 2, 3, 6, 7);
            float[] expected = new NodeEvaluator(graph).EvaluateAll(images).Single().Span.ToArray();
            using var session = new InferenceSession(graph, new() { Threads = 1 });
            var actual = new float[2 * session.OutputLength];
            session.Run(images.Span, 2, actual);
            Assert.All(actual.Zip(expected), p => Assert.InRange(MathF.Abs(p.First - p.Second), 0, 1e-4f));
        }
    }
}
