using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

/// <summary>What a graph's first nodes, and files beside a model, say of its pictures.</summary>
public sealed class StatedPreprocessingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_stated_is_all_assumed()
    {
        StatedPreprocessing stated = StatedPreprocessing.For(Model(null));
        Assert.Equal<string>(["order", "range", "mean and std", "fit"], stated.Assumed);
        Assert.Equal(ImagePreprocessing.Default(new(1, 3, 8, 8)), stated.Preprocessing);
        Assert.Contains("assumed, since nothing states them", stated.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_states_everything()
    {
        ImagePreprocessing written = ImagePreprocessing.Default(new(1, 3, 8, 8)) with { Order = ChannelOrder.Bgr, Range = 255, Mean = [3, 2, 1], Std = [6, 5, 4], Resize = ResizeMode.Letterbox };
        ModelGraph model = Model(BinaryFunction.Sub, 104, 117, 123);
        StatedPreprocessing stated = StatedPreprocessing.For(model.WithMetadata(new Dictionary<string, string>([written.ToMetadata()])));
        Assert.Equal(written, stated.Preprocessing);
        Assert.Empty(stated.Assumed);
    }

    [Theory]
    [InlineData(BinaryFunction.Sub, new[] { 104f, 117, 123 }, 255, ChannelOrder.Bgr)]
    [InlineData(BinaryFunction.Sub, new[] { 123.68f, 116.78f, 103.94f }, 255, ChannelOrder.Rgb)]
    [InlineData(BinaryFunction.Add, new[] { -103.9f, -116.8f, -123.7f }, 255, ChannelOrder.Bgr)]
    [InlineData(BinaryFunction.Sub, new[] { 0.485f, 0.456f, 0.406f }, 1, ChannelOrder.Rgb)]
    [InlineData(BinaryFunction.Sub, new[] { 0.406f, 0.456f, 0.485f }, 1, ChannelOrder.Bgr)]
    public void A_mean_in_the_graph_tells_the_range_and_the_order(BinaryFunction function, float[] mean, int range, ChannelOrder order)
    {
        StatedPreprocessing stated = StatedPreprocessing.For(Model(function, mean));
        Assert.Equal((range, order), (stated.Preprocessing.Range, stated.Preprocessing.Order));
        Assert.All(stated.Preprocessing.Mean, m => Assert.Equal(0, m));
        Assert.All(stated.Preprocessing.Std, s => Assert.Equal(1, s));
        Assert.Equal<string>(["fit"], stated.Assumed);
        Assert.Contains("first nodes", stated.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BinaryFunction.Div, 255f)]
    [InlineData(BinaryFunction.Mul, 1 / 255f)]
    [InlineData(BinaryFunction.Div, 127.5f)]
    [InlineData(BinaryFunction.Sub, 127.5f)]
    public void A_division_by_255_tells_the_range_and_leaves_the_order_open(BinaryFunction function, float value)
    {
        StatedPreprocessing stated = StatedPreprocessing.For(Model(function, value));
        Assert.Equal((255, ChannelOrder.Rgb), (stated.Preprocessing.Range, stated.Preprocessing.Order));
        Assert.Equal<string>(["order", "fit"], stated.Assumed);
    }

    [Theory]
    [InlineData(BinaryFunction.Mul, 1f)]
    [InlineData(BinaryFunction.Sub, 0f)]
    public void Nodes_that_tell_nothing_leave_all_open(BinaryFunction function, float value) =>
        Assert.Equal(4, StatedPreprocessing.For(Model(function, value)).Assumed.Length);

    [Fact]
    public void A_reversal_of_the_channels_turns_the_order_round()
    {
        // The channels are turned and then the mean of a BGR network is subtracted: pictures go in as RGB.
        ModelGraph inner = Model(BinaryFunction.Sub, 104, 117, 123);
        Node[] reversal =
        [
            .. Enumerable.Range(0, 3).Select(c => new Node($"slice{c}", new Slice([new SliceRange(1, c, c + 1)]), ["image"], $"c{c}")),
            new("turn", new Concat(1), ["c2", "c1", "c0"], "turned"),
        ];
        var model = new ModelGraph(inner.Name, inner.Input, inner.Outputs, [.. reversal, .. inner.Nodes.Select(n => n with { Inputs = [.. n.Inputs.Select(i => i == "image" ? "turned" : i)] })], inner.Initializers);
        StatedPreprocessing stated = StatedPreprocessing.For(model);
        Assert.Equal((255, ChannelOrder.Rgb), (stated.Preprocessing.Range, stated.Preprocessing.Order));
    }

    [Fact]
    public void A_normalisation_of_the_input_by_BatchNorm_counts()
    {
        ModelGraph inner = Model(null);
        Dictionary<string, Initializer> constants = new(inner.Initializers)
        {
            ["scale"] = Tensor(1, 1, 1), ["bias"] = Tensor(0, 0, 0), ["mean"] = Tensor(104, 117, 123), ["variance"] = Tensor(1, 1, 1),
        };
        var model = new ModelGraph(inner.Name, inner.Input, inner.Outputs,
            [new("bn", new BatchNormalization(0), ["image", "scale", "bias", "mean", "variance"], "normal"), .. inner.Nodes.Select(n => n with { Inputs = [.. n.Inputs.Select(i => i == "image" ? "normal" : i)] })], constants);
        Assert.Equal((255, ChannelOrder.Bgr), (StatedPreprocessing.For(model).Preprocessing.Range, StatedPreprocessing.For(model).Preprocessing.Order));
    }

    [Fact]
    public void A_graph_of_the_preprocessing_beside_the_model_gives_order_range_and_mean_image()
    {
        var random = new Random(5);
        float[] mean = [.. Enumerable.Range(0, 3 * 64).Select(i => 100 + i / 64 * 10 + random.NextSingle())];
        Node[] nodes =
        [
            .. Enumerable.Range(0, 3).Select(c => new Node($"slice{c}", new Slice([new SliceRange(1, c, c + 1)]), ["image"], $"c{c}")),
            new("turn", new Concat(1), ["c2", "c1", "c0"], "turned"), new("sub", new Binary(BinaryFunction.Sub), ["turned", "mean"], "done"),
        ];
        OnnxWriter.Write(
            new ModelGraph("prep", new("image", new(-1, 3, 8, 8)), [new("done", new(-1, 3, 8, 8))], [.. nodes], new Dictionary<string, Initializer> { ["mean"] = new DenseTensor(new(1, 3, 8, 8), mean) }),
            _folder.Write("prep/NetPreprocess.onnx", []));
        string file = _folder.Write("net/Net18.onnx", []);
        OnnxWriter.Write(Model(null), file);

        StatedPreprocessing stated = StatedPreprocessing.For(Model(null), file);
        Assert.Equal((255, ChannelOrder.Bgr), (stated.Preprocessing.Range, stated.Preprocessing.Order));
        Assert.Equal<string>(["fit"], stated.Assumed);
        var image = new RgbImage(8, 8, [.. Enumerable.Range(0, 192).Select(i => (byte)(i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50))]);
        var values = new float[192];
        stated.Preprocessing.Apply(image, values);
        for (int i = 0; i < 192; i++)
            Assert.InRange(values[i], new[] { 50, 100, 200 }[i / 64] - mean[i] - 0.04f, new[] { 50, 100, 200 }[i / 64] - mean[i] + 0.04f);
        Assert.Equal(stated.Preprocessing, ImagePreprocessing.Parse(stated.Preprocessing.ToString()));
    }

    [Theory]
    [InlineData("preprocessor_config.json", """{"do_rescale":true,"rescale_factor":0.00392156862745098,"do_normalize":true,"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5],"size":{"height":8,"width":8}}""", "resize=exact;crop=8x8;order=rgb;mean=0.5,0.5,0.5;std=0.5,0.5,0.5")]
    [InlineData("preprocessor_config.json", """{"image_mean":[0.485,0.456,0.406],"image_std":[0.229,0.224,0.225],"size":{"shortest_edge":10},"do_center_crop":true,"crop_size":8}""", "resize=short:10;crop=8x8;order=rgb;mean=0.485,0.456,0.406;std=0.229,0.224,0.225")]
    [InlineData("preprocessor_config.json", """{"do_rescale":false,"image_mean":[127.5,127.5,127.5],"image_std":[127.5,127.5,127.5],"do_resize":false}""", "resize=exact;crop=8x8;order=rgb;range=255;mean=127.5,127.5,127.5;std=127.5,127.5,127.5")]
    [InlineData("config.json", """{"architecture":"x","pretrained_cfg":{"input_size":[3,8,8],"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5],"crop_pct":0.8}}""", "resize=short:10;crop=8x8;order=rgb;mean=0.5,0.5,0.5;std=0.5,0.5,0.5")]
    public void Configurations_of_other_libraries_are_read(string name, string json, string expected)
    {
        _folder.Write(name, json);
        StatedPreprocessing stated = StatedPreprocessing.For(Model(null), _folder.Write("model.onnx", []));
        Assert.Equal(ImagePreprocessing.Parse(expected), stated.Preprocessing);
        Assert.Contains(name, stated.ToString(), StringComparison.Ordinal);
        Assert.Empty(stated.Assumed);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("""{"image_mean":[1],"image_std":[1]}""")]
    [InlineData("""{"image_mean":"x","image_std":[0,0,0]}""")]
    [InlineData("""{"image_mean":[0,0,0],"image_std":[0,0,0]}""")]
    public void A_configuration_that_is_broken_is_passed_over(string json)
    {
        _folder.Write("preprocessor_config.json", json);
        Assert.Equal(4, StatedPreprocessing.For(Model(null), _folder.Write("model.onnx", [])).Assumed.Length);
    }

    private static DenseTensor Tensor(params float[] values) => new(new(values.Length), values);

    /// <summary>A convolution, behind a binary operator with a constant where one is given.</summary>
    private static ModelGraph Model(BinaryFunction? function, params float[] constant)
    {
        Dictionary<string, Initializer> weights = new() { ["w"] = new DenseTensor(new(4, 3, 3, 3), Enumerable.Range(0, 108).Select(i => MathF.Sin(i)).ToArray()) };
        List<Node> nodes = [];
        if (function is { } f)
        {
            weights["c"] = new DenseTensor(constant.Length == 1 ? new(1) : new(1, constant.Length, 1, 1), constant);
            nodes.Add(new("pre", new Binary(f), ["image", "c"], "plain"));
        }
        nodes.Add(new("conv", new Conv(Window.Square(3)), [function is null ? "image" : "plain", "w"], "features"));
        return new("net", new("image", new(-1, 3, 8, 8)), [new("features", new(-1, 4, 6, 6))], [.. nodes], weights);
    }
}
