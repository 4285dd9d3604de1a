using System.Text.Json;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>Models whose numbers are bad: exit code 1 and a name, or a sensible result; and never a file that is neither.</summary>
public sealed class NumericFaultTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [SkippableTheory]
    [InlineData("output")]
    [InlineData("paper")]
    [InlineData("plain")]
    public async Task A_mean_that_is_not_a_number_is_named_and_no_file_written(string method)
    {
        string output = files.File($"nan-{method}.onnx");
        ToolRun run = await ToolRun.Of("compress", SharedData.Require("cases/08-nan-running-mean/m.onnx"), "--images", Images("08-nan-running-mean"), "--output", output, "--method", method);
        run.Fails(Tool.Failed, "initializer", "BatchNormalization", "NaN");
        Assert.False(File.Exists(output));
    }

    [SkippableFact]
    public async Task Scoring_refuses_it_too()
    {
        string model = SharedData.Require("cases/08-nan-running-mean/m.onnx"), image = Path.Combine(Images("08-nan-running-mean"), "0.jpg");
        (await ToolRun.Of("predict", model, image)).Fails(Tool.Failed, "initializer", "NaN");
        (await ToolRun.Of("evaluate", model, "--images", Images("08-nan-running-mean"), "--teacher", model)).Fails(Tool.Failed, "initializer", "NaN");
        (await ToolRun.Of("export", model, "--output", files.File("exported.onnx"))).Fails(Tool.Failed, "initializer", "NaN");
    }

    [SkippableFact]
    public async Task A_pruned_away_layer_has_a_sensible_error()
    {
        string output = files.File("pruned.onnx");
        JsonElement json = (await ToolRun.Of("compress", SharedData.Require("cases/10-pruned-away-layer/m.onnx"), "--images", Images("10-pruned-away-layer"), "--output", output, "--json")).Json();
        double[] errors = [.. json.GetProperty("layers").EnumerateArray().Where(l => l.TryGetProperty("relativeError", out _)).Select(l => l.GetProperty("relativeError").GetDouble())];
        Assert.NotEmpty(errors);
        Assert.All(errors, e => Assert.InRange(e, 0, 1));
        foreach (QuantizedTensor weight in ModelFile.Load(output).Initializers.Values.OfType<QuantizedTensor>())
            Assert.InRange(weight.Codebook.ToArray().Max(MathF.Abs), 0, 10);
    }

    [SkippableTheory]
    [InlineData("output")]
    [InlineData("paper")]
    public async Task Activations_that_overflow_squares_end_in_seconds(string method)
    {
        string output = files.File($"hang-{method}.onnx");
        ToolRun run = await ToolRun.Of("compress", SharedData.Require("cases/hostile/hang-teacher.onnx"), "--images", files.Images, "--resize", "8", "--crop", "8", "--output", output, "--method", method, "--json");
        if (run.Code == Tool.Succeeded)
            Assert.All(ModelFile.Load(output).Initializers.Values, i => Assert.All(i.ToDense().ToArray(), v => Assert.True(float.IsFinite(v))));
        else
            run.Fails(Tool.Failed, "Layer '");
        Assert.Equal(run.Code == Tool.Succeeded, File.Exists(output));
    }

    [SkippableFact]
    public async Task Codewords_beyond_float16_are_refused_by_name()
    {
        string output = files.File("fp16.onnx");
        ToolRun run = await ToolRun.Of("compress", SharedData.Require("cases/hostile/fp16-overflow-teacher.onnx"), "--images", files.Images, "--resize", "8", "--crop", "8", "--output", output, "--method", "paper");
        run.Fails(Tool.Failed, "Layer '", "65504");
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task The_same_of_a_model_made_here()
    {
        ModelGraph model = TinyModel.Create();
        float[] mean = model.Initializers["conv2.bn.mean"].ToDense().ToArray();
        byte[] bits = BitConverter.GetBytes(mean[3]), nan = BitConverter.GetBytes(float.NaN);
        // The writer refuses such a model, so the number is spoilt in the file. Means are kept only where asked.
        string kept = files.File("kept.onnx"), spoilt = files.File("spoilt.onnx"), output = files.File("spoilt.pq.onnx");
        OnnxWriter.Write(model, kept, new() { KeepBatchNormStatistics = true });
        byte[] whole = await File.ReadAllBytesAsync(kept);
        int at = whole.AsSpan().IndexOf(bits);
        nan.CopyTo(whole, at);
        await File.WriteAllBytesAsync(spoilt, whole);
        (await ToolRun.Of("compress", spoilt, "--images", files.Images, "--output", output)).Fails(Tool.Failed, "conv2", "NaN");
        (await ToolRun.Of("predict", spoilt, files.OneImage)).Fails(Tool.Failed, "conv2", "NaN");
        Assert.False(File.Exists(output));
    }

    [Fact]
    public void Work_that_fails_by_an_argument_of_its_own_is_no_wrong_usage()
    {
        StringWriter output = new(), error = new();
        var console = new ToolConsole(output, error, false, default);
        WorkException failure = Assert.Throws<WorkException>(() => console.Track<int>("work", _ => throw new ArgumentException("inside", nameof(output))));
        Assert.Equal(Tool.Failed, ErrorReport.Write(failure, error, false, default));
        Assert.Contains("error: inside", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_that_does_not_fit_the_model_is_wrong_usage_and_found_before_the_work()
    {
        ToolRun run = await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("none.onnx"), "--layer", "nothing:skip");
        run.Fails(Tool.WrongUsage, "nothing", "conv2.weight");
        Assert.DoesNotContain("reading images", run.Error, StringComparison.Ordinal);
    }

    /// <summary>A CIFAR ResNet-20 without half of the filters of a layer, as filter pruning leaves it, is compressed about as well as the whole one.</summary>
    [SkippableFact]
    [Trait("Category", "Slow")]
    public async Task A_pruned_network_agrees_with_its_teacher_as_the_whole_one_does()
    {
        string images = SharedData.Require("cifar/cifar10-train-jpg.zip"), others = SharedData.Require("cifar/cifar10-test-jpg.zip"), whole = files.File("resnet20.onnx"), pruned = files.File("resnet20-pruned.onnx");
        ModelGraph model = ModelFile.Load(SharedData.Require("resnet-cifar/resnet20-jpeg.safetensors"));
        var weight = (DenseTensor)model.Initializers["layer1.0.conv1.weight"];
        float[] values = weight.Span.ToArray();
        values.AsSpan(0, values.Length / 2).Clear();
        OnnxWriter.Write(model, whole);
        OnnxWriter.Write(model.WithInitializers([new("layer1.0.conv1.weight", new DenseTensor(weight.Shape, values))]), pruned);
        int ofWhole = await Agreement(whole), ofPruned = await Agreement(pruned);
        Assert.True(ofPruned >= ofWhole - 10, $"{ofPruned} of 300 pruned, {ofWhole} whole");

        async Task<int> Agreement(string teacher)
        {
            string student = teacher + ".pq.onnx";
            (await ToolRun.Of("compress", teacher, "--images", images, "--output", student, "--max-images", "1024", "--json")).Json();
            return (await ToolRun.Of("evaluate", student, "--images", others, "--teacher", teacher, "--limit", "300", "--json")).Json().GetProperty("agreement").GetInt32();
        }
    }

    private static string Images(string name) => Path.GetDirectoryName(SharedData.Require($"cases/{name}/images/0.jpg"))!;
}
