using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Formats.Onnx;
using Activation = MLNet.PQCompression.Inference.Activation;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Networks with operators that Core has no kernel for: stretches of them run in ONNX Runtime, between layers that are quantized here.</summary>
public sealed class ForeignNodesTests
{
    private static readonly OnnxRuntimeEngine Engine = new();

    [Fact]
    public void A_stretch_computes_what_the_kernels_here_compute()
    {
        ModelGraph graph = OnnxReader.Read(File(foreign: "Relu").Bytes("y"), "test");
        Assert.Empty(graph.ForeignNodes);
        Activation image = Images();
        using INodeEvaluator here = new NodeEvaluator(graph), there = Engine.Evaluate(graph, 1);
        for (int first = 0; first < graph.Nodes.Length; first++)
        {
            IReadOnlyDictionary<string, Activation> before = here.Evaluate(graph.Nodes[..first], _ => image, _ => true);
            Activation Known(string name) => before.TryGetValue(name, out Activation? value) ? value : image;
            IReadOnlyDictionary<string, Activation> x = here.Evaluate(graph.Nodes[first..], Known, _ => true), y = there.Evaluate(graph.Nodes[first..], Known, _ => true);
            foreach (string name in x.Keys)
                for (int i = 0; i < x[name].Span.Length; i++)
                    Assert.Equal(x[name].Span[i], y[name].Span[i], 1e-4f);
        }
    }

    [Fact]
    public void What_a_stretch_has_read_is_not_kept()
    {
        ModelGraph graph = OnnxReader.Read(File(foreign: "Shrink").Bytes("y"), "test");
        using INodeEvaluator evaluator = Engine.Evaluate(graph, 1);
        WeakReference[] read = [.. Enumerable.Range(0, 3).Select(_ => Run(evaluator, graph))];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.All(read, r => Assert.False(r.IsAlive));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Run(INodeEvaluator evaluator, ModelGraph graph)
        {
            var values = new float[3 * 8 * 8];
            Assert.NotEmpty(evaluator.Evaluate(graph.Nodes, _ => new(new(1, 3, 8, 8), values), _ => true));
            return new(values);
        }
    }

    [Fact]
    public void Layers_on_both_sides_of_a_foreign_node_are_quantized()
    {
        ModelGraph teacher = OnnxReader.Read(File(foreign: "Shrink").Bytes("y"), "test");
        Assert.Equal("Shrink", teacher.ForeignNodes.Single().Operator.OnnxName);
        CompressionResult result = Compress(teacher);
        Assert.Equal(2, result.Student.Initializers.Values.Count(i => i is QuantizedTensor));
        OutputFigures figures = OutputAgreement.Compare(teacher, result.Student, new TestNetworks.Images(40, seed: 9), runtime: Engine).Single();
        Assert.Equal(40, figures.Images);
        Assert.InRange(figures.Cosine!.Value, 0.9, 1);
    }

    [Fact]
    public void Without_a_runtime_the_message_names_the_package_and_the_operators()
    {
        ModelGraph teacher = OnnxReader.Read(File(foreign: "Shrink").Bytes("y"), "test");
        var e = Assert.Throws<UnsupportedOperatorException>(() => ModelCompressor.Compress(teacher, new TestNetworks.Images(4), new()));
        Assert.Contains("Shrink", e.Message);
        Assert.Contains("MLNet.PQCompression.OnnxRuntime", e.Message);
        Assert.Throws<UnsupportedOperatorException>(() => ScoringSessions.Create(teacher, new(3, 8, 8), 1, null));
    }

    [Fact]
    public void The_student_takes_the_teachers_decisions()
    {
        ModelGraph teacher = OnnxReader.Read(Rows().Bytes("y"), "test");
        CompressionResult result = Compress(teacher);
        Assert.Contains(result.Report.Layers, l => l.Plan.Weight == "w3" && l.Plan.IsQuantized);
        Assert.All(result.Report.Layers.Where(l => l.Plan.IsQuantized), l => Assert.InRange(l.RelativeError!.Value, 0, 0.5));
    }

    [Fact]
    public void An_image_without_any_row_is_passed_over()
    {
        var images = new TestNetworks.Images(64);
        float[] OfEach(ModelGraph graph, Func<Activation, float> figure)
        {
            using IScoringSession session = Engine.CreateSession(graph, 1);
            return [.. images.Read(1).Select(b => figure(session.Run(new(new(1, 3, 8, 8), b.Data[..192].ToArray()))["y"]))];
        }
        // Rows are gathered where a channel is higher than half of the images have any.
        float[] highest = OfEach(OnnxReader.Read(HighRows(0).Node("ReduceMax", "m", "y", ("keepdims", 0)).Bytes("y"), "test"), y => y.Span[0]);
        ModelGraph teacher = OnnxReader.Read(HighRows(highest.Order().ElementAt(32)).Node("Reshape", "q grid", "u").Node("Conv", "u w4", "c", ("pads", new[] { 1, 1, 1, 1 })).Node("Relu", "c", "d").Node("ConvTranspose", "d w5", "y", ("strides", new[] { 2, 2 })).Bytes("y"), "test");
        float[] rows = OfEach(teacher, y => y.Shape[0]);
        Assert.InRange(rows.Count(r => r == 0), 16, 48);
        CompressionResult result = Compress(teacher);
        Assert.All(result.Report.Layers.Where(l => l.Plan.Weight is "w3" or "w4" or "w5"), l => Assert.InRange(l.RelativeError!.Value, 0, 0.5));
    }

    [Theory]
    [InlineData(1, new long[] { -1, 3, 8, 8 })]
    [InlineData(2, new long[] { -1, 3, 8, 8 })]
    [InlineData(10, new long[] { 1, 3, 8, 8 })]
    [InlineData(1, new long[] { 3, 8, 8 })]
    [InlineData(2, new long[] { 8, 8, 3 })]
    [InlineData(1, new long[] { -1, 8, 8, 3 })]
    public void Images_are_brought_into_the_form_that_the_document_takes(int type, long[] shape)
    {
        var file = new OnnxFile(17, shape);
        file.Model.Graph.Input[0].Type.TensorType.ElemType = type;
        ModelGraph graph = OnnxReader.Read(file.Node("Cast", "input", "c", ("to", 1)).Node("Shrink", "c", "y", ("lambd", 0.5f)).Bytes("y"), "test");
        using IScoringSession session = Engine.CreateSession(graph, 1);
        Activation image = Images(1, v => MathF.Round(100 * MathF.Abs(v)));
        Activation output = session.Run(image)["y"];
        bool isLast = shape[^1] == 3;
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < 64; p++)
            {
                float x = image.Span[c * 64 + p];
                Assert.Equal(x, output.Span[isLast ? p * 3 + c : c * 64 + p], 1e-2f);
            }
    }

    [Theory]
    [InlineData("order, fit", -1, 3, 8, 8)]
    [InlineData("order, fit", 8, 8, 3)]
    [InlineData("fit", -1)] // The bytes of a file.
    public void Inputs_of_whole_numbers_take_pixels_as_they_are(string assumed, params int[] shape)
    {
        var file = new OnnxFile(17, [.. shape.Select(d => (long)d)]);
        file.Model.Graph.Input[0].Type.TensorType.ElemType = 2;
        StatedPreprocessing stated = StatedPreprocessing.For(OnnxReader.Read(file.Node("Cast", "input", "c", ("to", 1)).Node("Shrink", "c", "y", ("lambd", 0.5f)).Bytes("y"), "test"));
        Assert.Equal((255, 0f, 1f), (stated.Preprocessing.Range, stated.Preprocessing.Mean.Sum(), stated.Preprocessing.Std[0]));
        Assert.Equal(assumed, string.Join(", ", stated.Assumed));
    }

    [Theory]
    [InlineData(7, "-3 0 2 5")]
    [InlineData(6, "-3 0 2 5")]
    [InlineData(3, "-3 0 2 5")]
    [InlineData(9, "1 0 1 1")]
    public void Outputs_of_whole_numbers_and_Booleans_can_be_read(int type, string expected)
    {
        OnnxFile file = new OnnxFile(17, 1, 1, 2, 2).Node("Cast", "input", "y", ("to", type));
        file.Model.Graph.Output.Add(new Formats.Onnx.Schema.ValueInfoProto { Name = "y", Type = new() { TensorType = new() { ElemType = type } } });
        using IScoringSession session = Engine.CreateSession(OnnxReader.Read(file.Bytes(), "test"), 1);
        var output = Assert.IsAssignableFrom<ForeignValue>(session.Run(new(new(1, 1, 2, 2), new float[] { -3, 0, 2, 5 }))["y"]);
        Assert.Equal(new(1, 1, 2, 2), output.Shape);
        Assert.True(output.Span.IsEmpty);
        Assert.Equal(expected, string.Join(' ', output.ToIntegers()!));
        Assert.Null(output.ToStrings());
    }

    [Fact]
    public void Outputs_of_strings_can_be_read()
    {
        OnnxFile file = new OnnxFile(17, 1, 1, 1, 2).Node("Cast", "input", "y", ("to", 8));
        file.Model.Graph.Output.Add(new Formats.Onnx.Schema.ValueInfoProto { Name = "y", Type = new() { TensorType = new() { ElemType = 8 } } });
        using IScoringSession session = Engine.CreateSession(OnnxReader.Read(file.Bytes(), "test"), 1);
        var output = Assert.IsAssignableFrom<ForeignValue>(session.Run(new(new(1, 1, 1, 2), new float[] { 3, 1.5f }))["y"]);
        Assert.Equal(["3", "1.5"], output.ToStrings()!);
        Assert.Null(output.ToIntegers());
    }

    [Fact]
    public void A_budget_is_kept_across_foreign_nodes_and_several_outputs()
    {
        ModelGraph teacher = OnnxReader.Read(File(foreign: "Shrink").Bytes("y", "c"), "test");
        CompressionOptions options = new() { ForeignRuntime = Engine, Threads = 1 };
        BudgetResult Of(double ratio) => BudgetCompressor.Compress(teacher, new TestNetworks.Images(48), new() { Ratio = ratio }, options);
        (BudgetResult small, BudgetResult large) = (Of(3), Of(1.8));
        Assert.False(small.Analysis.IsOfClasses);
        Assert.InRange(OnnxWriter.Size(small.Compression.Student), 1, small.Analysis.DenseBytes / 3);
        double Loss(BudgetResult result) => HeldOutCheck.Run(teacher, result.Compression.Student, new TestNetworks.Images(40, seed: 9), runtime: Engine).Loss;
        Assert.InRange(Loss(large), 0, Loss(small));
    }

    [Fact]
    public void A_resize_by_sizes_computed_from_shapes_runs_in_parts()
    {
        // As pyramids of features are joined: the smaller map takes the size of the larger one, put together from parts of its shape.
        OnnxFile file = new OnnxFile(17, 1, 3, 8, 8).Floats("w1", [16, 3, 3, 3]).Floats("w2", [16, 16, 3, 3], Noise(16 * 16 * 9)).Floats("w3", [16, 16, 3, 3], Noise(16 * 16 * 9)).Ints("two", 2).Ints("four", 4)
            .Node("Conv", "input w1", "a", ("pads", new[] { 1, 1, 1, 1 })).Node("Conv", "a w2", "b", ("pads", new[] { 1, 1, 1, 1 }), ("strides", new[] { 2, 2 })).Node("Shrink", "b", "c", ("lambd", 0.01f))
            .Node("Shape", "a", "sa").Node("Slice", "sa two four", "hw").Node("Shape", "c", "sc").Ints("zero", 0).Node("Slice", "sc zero two", "nc").Node("Concat", "nc hw", "sizes", ("axis", 0))
            .Node("Resize", "c - - sizes", "up", ("mode", "nearest")).Node("Add", "up a", "sum").Node("Conv", "sum w3", "y");
        ModelGraph teacher = OnnxReader.Read(file.Bytes("y"), "test");
        Assert.NotEmpty(teacher.ForeignNodes);
        Assert.Equal(2, Compress(teacher).Student.Initializers.Values.Count(i => i is QuantizedTensor));
    }

    [Fact]
    public void A_budget_needs_an_output_that_is_as_long_for_every_image()
    {
        var e = Assert.Throws<InvalidModelException>(() => NetworkAnalyzer.Analyze(OnnxReader.Read(Rows().Bytes("y"), "test"), new TestNetworks.Images(12), new() { ForeignRuntime = Engine }));
        Assert.Contains("differ in length", e.Message);
    }

    private static CompressionResult Compress(ModelGraph teacher) =>
        ModelCompressor.Compress(teacher, new TestNetworks.Images(64), new() { ForeignRuntime = Engine, Threads = 1 });

    /// <summary>Rows with a channel above a threshold are gathered, and multiplied by a matrix.</summary>
    private static OnnxFile HighRows(float threshold) => new OnnxFile(17, 1, 3, 8, 8).Floats("w1", [16, 3, 3, 3]).Floats("w2", [16, 16, 3, 3], Noise(16 * 16 * 9)).Floats("w3", [16, 32], Noise(512)).Floats("w4", [16, 32, 2, 2], Noise(2048))
        .Floats("w5", [16, 16, 2, 2], Noise(1024)).Floats("high", [], threshold).Ints("s", -1, 16).Ints("grid", -1, 32, 1, 1).Ints("one", 0)
        .Node("Conv", "input w1", "a", ("pads", new[] { 1, 1, 1, 1 })).Node("Conv", "a w2", "b", ("pads", new[] { 1, 1, 1, 1 })).Node("Transpose", "b", "t", ("perm", new[] { 0, 2, 3, 1 })).Node("Reshape", "t s", "r")
        .Node("ReduceMax", "r", "m", ("axes", new[] { 1 }), ("keepdims", 0)).Node("Greater", "m high", "g").Node("NonZero", "g", "n").Node("Squeeze", "n one", "k").Node("Gather", "r k", "rows").Node("MatMul", "rows w3", "q");

    /// <summary>Rows above zero are gathered: how many depends on the image.</summary>
    private static OnnxFile Rows() => new OnnxFile(17, 1, 3, 8, 8).Floats("w1", [16, 3, 3, 3]).Floats("w2", [16, 16, 3, 3], Noise(16 * 16 * 9)).Floats("w3", [16, 32], Noise(512)).Floats("zero", [], 0f).Ints("s", -1, 16)
        .Node("Conv", "input w1", "a", ("pads", new[] { 1, 1, 1, 1 })).Node("Conv", "a w2", "b", ("pads", new[] { 1, 1, 1, 1 })).Node("Transpose", "b", "t", ("perm", new[] { 0, 2, 3, 1 })).Node("Reshape", "t s", "r")
        .Node("Greater", "r zero", "g").Node("NonZero", "g", "n").Node("Split", "n", "i j", ("axis", 0)).Node("Squeeze", "i", "k").Node("Gather", "r k", "rows").Node("MatMul", "rows w3", "y");

    private static OnnxFile File(string foreign) => new OnnxFile().Floats("w1", [16, 3, 2, 2], Noise(192)).Floats("w2", [16, 16, 2, 2], Noise(1024)).Floats("w3", [16, 16, 2, 2], Noise(1023, 1))
        .Node("Conv", "input w1", "a").Node("Conv", "a w2", "b").Node(foreign, "b", "c", foreign == "Shrink" ? [("lambd", 0.01f)] : []).Node("Conv", "c w3", "d").Node("Relu", "d", "y");

    private static float[] Noise(int count, int more = 0)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count + more).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static Activation Images(int count = 2, Func<float, float>? change = null) =>
        new(new(count, 3, 8, 8), Array.ConvertAll(Noise(count * 192), v => change is null ? v : change(v)));
}
