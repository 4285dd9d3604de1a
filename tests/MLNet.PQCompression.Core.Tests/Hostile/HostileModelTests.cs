using MLNet.PQCompression.Distillation.Managed;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.Tests.Hostile;

/// <summary>Small files that ask for sizes beyond all bounds: refused as models, before anything of the size is allocated.</summary>
public class HostileModelTests
{
    private const long Allowed = 32 << 20;

    [SkippableTheory]
    [InlineData("t-pad-overflow-small.onnx")]
    [InlineData("t-conv-dilation-wrap.onnx")]
    [InlineData("t-autopad-big.onnx")]
    [InlineData("t-pad-2g.onnx")]
    [InlineData("t-conv-big-out.onnx")]
    [InlineData("t-conv-k0c.onnx")]
    public void Known_hostile_models_are_refused(string file)
    {
        string path = SharedData.Require("cases/hostile/" + file);
        Refused(() => Score(ModelFile.Load(path)));
    }

    [SkippableTheory]
    [InlineData("fuzz-onnx-1-1.onnx")]
    [InlineData("fuzz-onnx-1-2.onnx")]
    [InlineData("ktb-columns-overflow.pth")]
    [InlineData("torch-overlap.pt")]
    public void Known_hostile_files_are_refused_or_read(string file)
    {
        string path = SharedData.Require("cases/hostile/" + file);
        Bounded(() =>
        {
            try
            {
                Score(ModelFile.Load(path));
            }
            catch (InvalidModelException)
            {
            }
        });
    }

    [Theory]
    [InlineData("Pad")]
    [InlineData("MaxPool")]
    [InlineData("AveragePool")]
    public void Sizes_beyond_32_bits_are_refused(string type)
    {
        (string, object)[] attributes = type == "Pad" ? [("pads", new[] { 0, 0, 0, 0, 0, 0, 1 << 20, 1 << 15 })]
            : [("kernel_shape", new[] { 1, 1 }), ("pads", new[] { 1 << 20, 1 << 20, 1 << 20, 1 << 20 })];
        Refused(() => Score(new OnnxFile(7, -1, 1, 1, 1).Node(type, "input", "p", attributes).Node("GlobalMaxPool", "p", "y").Read()));
    }

    [Theory]
    [InlineData("Conv")]
    [InlineData("MaxPool")]
    [InlineData("AveragePool")]
    public void Windows_whose_reach_wraps_around_are_refused(string type)
    {
        OnnxFile file = new OnnxFile(19, -1, 1, 4, 4).Floats("w", [1, 1, 4097, 1]);
        (string, object)[] attributes = [("kernel_shape", new[] { 4097, 1 }), ("dilations", new[] { 1 << 20, 1 })];
        Refused(() => Score(file.Node(type, type == "Conv" ? "input w" : "input", "y", attributes).Read()));
    }

    [Fact]
    public void Borders_that_many_readers_ask_for_are_refused()
    {
        OnnxFile file = new OnnxFile(13, -1, 16, 8, 8).Floats("w", [16, 16, 1, 1])
            .Node("Relu", "input", "x").Node("Conv", "x w", "y", ("pads", new[] { 1 << 14, 0, 1 << 14, 0 }));
        Refused(() => Score(file.Read()));
    }

    [Fact]
    public void A_chain_of_paddings_is_refused_where_it_grows_too_large()
    {
        OnnxFile file = new(7, -1, 1, 1, 1);
        string last = "input";
        for (int i = 0; i < 8; i++)
            file.Node("Pad", last, last = $"p{i}", ("pads", new[] { 0, 0, 0, 0, 0, 0, 1 << 18, 1 << 18 }));
        Refused(() => Score(file.Node("GlobalMaxPool", last, "y").Read()));
    }

    [Fact]
    public void A_session_takes_no_more_memory_than_it_may()
    {
        ModelGraph graph = new OnnxFile(7, -1, 1, 1, 1).Node("Pad", "input", "p", ("pads", new[] { 0, 0, 0, 0, 0, 0, 999, 999 })).Node("GlobalMaxPool", "p", "y").Read();
        string message = Assert.Throws<InvalidModelException>(() => new InferenceSession(graph, new() { MaxMemoryBytes = 10_000_000 })).Message;
        Assert.Contains("'p'", message);
        Assert.Contains(nameof(InferenceOptions.MaxMemoryBytes), message);
        float[] scores = new float[3], images = [1, -2, 3];
        using (var session = new InferenceSession(graph, new() { MaxMemoryBytes = 100_000_000, Threads = 2 })) // Room for one image, not for two.
            session.Run(images, 3, scores);
        Assert.Equal([1, 0, 3], scores);
        Assert.Throws<InvalidModelException>(() => new InferenceSession(graph, new() { MaxMemoryBytes = 10_000_000 })); // The compiled plan is shared, the bound is not.
    }

    [Fact]
    public void A_resize_that_grows_one_way_and_shrinks_the_other_makes_nothing_larger_in_between()
    {
        ModelGraph graph = new OnnxFile(17, -1, 1, 1, 1 << 20).Ints("sizes", 1, 1, 1 << 20, 1).Node("Resize", "input - - sizes", "y", ("mode", "nearest")).Read();
        Bounded(() => Assert.Equal(1 << 20, Score(graph).Length), 128 << 20);
        Refused(() => Score(new OnnxFile(17, -1, 1, 1, 1).Ints("sizes", 1, 1, 1, 1 << 25).Node("Resize", "input - - sizes", "y").Read()));
    }

    [Fact]
    public void Weights_that_decode_to_far_more_than_the_file_are_refused()
    {
        OnnxFile file = new OnnxFile().Floats("book", [2, 500_000], new float[1_000_000]).Tensor("codes", 2, [2, 250_000], new byte[500_000])
            .Node("Gather", "book codes", "w").Node("Conv", "input w", "y");
        Refused(() => file.Read(), 64 * 1_000_000);
    }

    [Fact]
    public void Planning_takes_no_time_for_what_a_window_does_not_see()
    {
        // 2²⁰ windows of 2²⁰ taps, and steps of 2²⁰ both ways: counted and planned without going through them one by one.
        ModelGraph mean = new OnnxFile(17, -1, 1, 1 << 20, 1).Node("AveragePool", "input", "y", ("kernel_shape", new[] { 1 << 20, 1 }), ("pads", new[] { 1 << 19, 0, 1 << 19, 0 })).Read();
        using var session = new InferenceSession(mean, new() { Threads = 1 });
        Assert.Equal((1 << 20) + 1, session.OutputLength);
        ModelGraph leap = new OnnxFile(17, -1, 3, 8, 8).Floats("w", [4, 3, 3, 3]).Node("Conv", "input w", "y", ("strides", new[] { 1 << 20, 1 << 20 })).Read();
        using var workers = new WorkerPool(1);
        var parameters = leap.Initializers.ToDictionary(p => p.Key, p => new Parameter(p.Key, p.Value, true));
        using var program = new TrainingProgram(leap, new TensorShape(1, 3, 8, 8), parameters, workers);
        var scores = new float[4];
        program.Forward(new float[192], 1, false, keep: true, scores);
        program.Backward(scores);
        OnnxFile joined = new OnnxFile().Tensor("none", 7, [1 << 30, 0], []).Node("Concat", "none none", "c", ("axis", 1)).Node("Reshape", "input c", "y");
        Assert.ThrowsAny<InvalidModelException>(() => joined.Read());
    }

    [Fact]
    public void Names_that_many_ask_for_cost_no_more_than_others()
    {
        OnnxFile file = new(7, -1, 1, 1, 1);
        file.Node("Sum", string.Join(' ', Enumerable.Repeat("input", 20_000)), "y");
        ModelGraph graph = file.Read();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(19_999, file.Read().Nodes.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
        Assert.Equal(20_000, Score(graph, 1)[0]);
    }

    private static float[] Score(ModelGraph graph, float value = 0.5f)
    {
        using var session = new InferenceSession(graph, new() { Threads = 1, InputShape = graph.Input.Shape is { } s && s[2] < 0 ? new(s[1], 8, 8) : null });
        float[] image = new float[session.InputShape.Count], scores = new float[session.OutputLength];
        Array.Fill(image, value);
        session.Run(image, 1, scores);
        return scores;
    }

    private static void Refused(Action action, long allowed = Allowed) => Bounded(() => Assert.ThrowsAny<InvalidModelException>(action), allowed);

    private static void Bounded(Action action, long allowed = Allowed)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, allowed);
    }
}
