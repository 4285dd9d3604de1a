using System.Security.Cryptography;
using System.Text.Json;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class CompressTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Theory]
    [InlineData("output")]
    [InlineData("paper")]
    [InlineData("plain")]
    public async Task A_model_is_compressed_and_written(string method)
    {
        string output = files.File($"{method}.onnx");
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--method", method, "--json")).Json();
        Assert.Equal(files.ImageCount, json.GetProperty("images").GetInt32());
        Assert.Equal(4, json.GetProperty("layers").GetArrayLength());
        Assert.Equal(new FileInfo(output).Length, json.GetProperty("fileBytes").GetInt64());
        Assert.InRange(json.GetProperty("paperBytes").GetInt64(), 1, json.GetProperty("denseBytes").GetInt64() - 1);
        Assert.True(json.GetProperty("seconds").GetDouble() > 0);
        ModelGraph student = ModelFile.Load(output);
        Assert.Equal(json.GetProperty("layers").EnumerateArray().Count(l => l.GetProperty("codewords").ValueKind == JsonValueKind.Number),
            student.Initializers.Values.Count(i => i is QuantizedTensor));
        Provenance provenance = Provenance.FromMetadata(student.Metadata)!;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(files.Model))), provenance.Teacher);
        Assert.Equal(method, provenance.Method.ToString(), ignoreCase: true);
        Assert.Equal(ImagePreprocessing.For(TinyModel.Create()), ImagePreprocessing.FromMetadata(student.Metadata));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_file()
    {
        string[] outputs = [files.File("seed-a.onnx"), files.File("seed-b.onnx")];
        foreach (string output in outputs)
            (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--seed", "5", "--max-images", "10", "--json")).Json();
        Assert.Equal(await File.ReadAllBytesAsync(outputs[0]), await File.ReadAllBytesAsync(outputs[1]));
    }

    [Fact]
    public async Task Distillation_changes_codewords_and_an_interrupted_run_may_keep_its_state()
    {
        string plain = files.File("undistilled.onnx"), tuned = files.File("distilled.onnx");
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--json", "--output"];
        (await ToolRun.Of([.. arguments, plain])).Json();
        (await ToolRun.Of([.. arguments, tuned, "--layer-steps", "2", "--epochs", "1", "--checkpoint", files.File("state")])).Json();
        ModelGraph before = ModelFile.Load(plain), after = ModelFile.Load(tuned);
        Assert.NotEqual(before.Initializers["conv2.weight"].ToDense().ToArray(), after.Initializers["conv2.weight"].ToDense().ToArray());
        Provenance provenance = Provenance.FromMetadata(after.Metadata)!;
        Assert.Equal((2, 1), (provenance.LayerSteps, provenance.Epochs));
        Assert.Null(Provenance.FromMetadata(before.Metadata)!.Epochs);
    }

    [Fact]
    public async Task Distillation_may_learn_from_labels_where_every_image_has_one()
    {
        string[] arguments = ["--method", "paper", "--layer-steps", "2", "--epochs", "1", "--json", "--output"];
        (string fromTeacher, string fromLabels) = (files.File("teacher.onnx"), files.File("labels.onnx"));
        (await ToolRun.Of(["compress", files.Model, "--images", files.Images, .. arguments, fromTeacher])).Json();
        (await ToolRun.Of(["compress", files.Model, "--images", files.Images, "--learn-from", "labels", .. arguments, fromLabels])).Json();
        Assert.NotEqual(await File.ReadAllBytesAsync(fromTeacher), await File.ReadAllBytesAsync(fromLabels));
        string flat = Directory.CreateDirectory(files.File("flat")).FullName;
        foreach (string image in Directory.GetFiles(Path.Combine(files.Images, "class0")))
            File.Copy(image, Path.Combine(flat, Path.GetFileName(image)), overwrite: true);
        ToolRun refused = await ToolRun.Of(["compress", files.Model, "--images", flat, "--learn-from", "labels", .. arguments, files.File("none.onnx")]);
        Assert.Equal(Tool.Failed, refused.Code);
        Assert.Contains("has no label; --learn-from labels needs", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>From 64 pixels up distillation blends images, of which there are no labels; learning from labels must not.</summary>
    [Theory]
    [InlineData("teacher")]
    [InlineData("labels")]
    public async Task Photographs_are_distilled_from_either_source(string source)
    {
        string model = files.File($"photographs-{source}.onnx"), plain = files.File($"plain-{source}.onnx"), tuned = files.File($"tuned-{source}.onnx");
        OnnxWriter.Write(TinyModel.Create(side: 64), model);
        string[] arguments = ["compress", model, "--images", files.Images, "--max-images", "8", "--json", "--output"];
        (await ToolRun.Of([.. arguments, plain])).Json();
        (await ToolRun.Of([.. arguments, tuned, "--epochs", "1", "--learn-from", source])).Json();
        Assert.NotEqual(ModelFile.Load(plain).Initializers["conv2.weight"].ToDense().ToArray(), ModelFile.Load(tuned).Initializers["conv2.weight"].ToDense().ToArray());
    }

    [Fact]
    public async Task BatchNorm_statistics_are_re_estimated_where_asked()
    {
        string kept = files.File("kept.onnx"), estimated = files.File("estimated.onnx");
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--method", "plain", "--json", "--output"];
        (await ToolRun.Of([.. arguments, kept])).Json();
        (await ToolRun.Of([.. arguments, estimated, "--reestimate-batchnorm"])).Json();
        Assert.NotEqual(await File.ReadAllBytesAsync(kept), await File.ReadAllBytesAsync(estimated));
    }

    [Fact]
    public async Task The_images_are_preprocessed_as_asked_and_the_file_says_so()
    {
        string output = files.File("preprocessed.onnx");
        string names = files.File("names.txt");
        await File.WriteAllLinesAsync(names, ["cat", "dog", "bird", "fish"]);
        ToolRun run = await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--classes", names, "--resize", "14", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25");
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Contains("times smaller", run.Output, StringComparison.Ordinal);
        ImagePreprocessing preprocessing = ImagePreprocessing.FromMetadata(ModelFile.Load(output).Metadata)!;
        Assert.Equal("cat dog bird fish", string.Join(' ', ClassNames.FromMetadata(ModelFile.Load(output).Metadata)!.Value));
        Assert.Equal((ResizeMode.ShortSide, 14, 12, 0.25f), (preprocessing.Resize, preprocessing.ShortSide, preprocessing.Width, preprocessing.Std[1]));
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_writes_nothing()
    {
        string before = string.Join('\n', Directory.GetFiles(files.Path));
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--dry-run", "--json")).Json();
        JsonElement plan = (await ToolRun.Of("inspect", files.Model, "--json")).Json();
        Assert.Equal(plan.GetProperty("layers").GetRawText(), json.GetProperty("layers").GetRawText());
        Assert.Equal(before, string.Join('\n', Directory.GetFiles(files.Path)));
    }

    [Fact]
    public async Task An_image_that_cannot_be_decoded_is_listed_or_fatal()
    {
        string output = files.File("bad-image.onnx");
        string[] arguments = ["compress", files.Model, "--images", files.ImagesWithABadOne, "--output", output];
        (await ToolRun.Of([.. arguments, "--strict"])).Fails(Tool.Failed, "broken.png");
        Assert.False(File.Exists(output));
        ToolRun run = await ToolRun.Of([.. arguments, "--json"]);
        JsonElement skipped = Assert.Single(run.Json().GetProperty("skipped").EnumerateArray());
        Assert.Contains("broken.png", skipped.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.Contains("broken.png", run.Error, StringComparison.Ordinal);
        Assert.Equal(files.ImageCount, run.Json().GetProperty("images").GetInt32());
    }

    [Fact]
    public async Task An_existing_output_is_not_replaced_without_leave()
    {
        string output = files.File("existing.onnx");
        await File.WriteAllTextAsync(output, "mine");
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--output", output];
        (await ToolRun.Of(arguments)).Fails(Tool.Failed, "existing.onnx", "--overwrite");
        Assert.Equal("mine", await File.ReadAllTextAsync(output));
        Assert.Equal(Tool.Succeeded, (await ToolRun.Of([.. arguments, "--overwrite"])).Code);
        Assert.Equal("tiny", ModelFile.Load(output).Name);
    }

    [Fact]
    public async Task A_cancelled_run_fails_and_leaves_no_file()
    {
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        string output = files.File("cancelled.onnx");
        ToolRun run = await ToolRun.Of(cancellation.Token, "compress", files.Model, "--images", files.Images, "--output", output);
        Assert.Equal((Tool.Failed, "", "cancelled\n"), (run.Code, run.Output, run.Error));
        Assert.Empty(Directory.GetFiles(files.Path, "*cancelled*"));
    }

    [Fact]
    public async Task Memory_bounds_the_images_and_too_little_is_refused_by_layer()
    {
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--json", "--overwrite", "--output", files.File("memory.onnx")];
        Assert.Equal(files.ImageCount, (await ToolRun.Of([.. arguments, "--max-memory", "1GB"])).Json().GetProperty("images").GetInt32());
        Assert.InRange((await ToolRun.Of([.. arguments, "--max-memory", "200KB"])).Json().GetProperty("images").GetInt32(), 1, files.ImageCount - 1);
        (await ToolRun.Of([.. arguments, "--max-memory", "1KB"])).Fails(Tool.WrongUsage, "conv", "GiB");
        Assert.Equal(Tool.WrongUsage, (await ToolRun.Of([.. arguments, "--max-memory", "much"])).Code);
    }
}
