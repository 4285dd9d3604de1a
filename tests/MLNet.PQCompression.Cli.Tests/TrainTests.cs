using System.Text.Json;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class TrainTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task A_network_trained_from_scratch_knows_its_training_images_and_comes_out_the_same_again()
    {
        string first = files.File("first.onnx"), again = files.File("again.onnx");
        JsonElement json = (await Train(first, "--json")).Json();
        Assert.Equal(files.ImageCount, json.GetProperty("images").GetInt32());
        Assert.Equal(TinyModel.Classes, json.GetProperty("classes").GetInt32());
        JsonElement evaluation = (await ToolRun.Of("evaluate", first, "--images", files.Images, "--json")).Json();
        Assert.True(evaluation.GetProperty("top1").GetInt32() > files.ImageCount / TinyModel.Classes, "no better than one class for all");
        Assert.Equal(Tool.Succeeded, (await Train(again)).Code);
        ModelGraph a = ModelFile.Load(first), b = ModelFile.Load(again);
        Assert.All(a.Initializers, i => Assert.True(i.Value.ToDense().Span.SequenceEqual(b.Initializers[i.Key].ToDense().Span), i.Key));
    }

    [Fact]
    public async Task Images_without_labels_are_refused() =>
        (await ToolRun.Of("train", "--arch", "resnet20", "--images", files.OneImage, "--output", files.File("x.onnx"))).Fails(Tool.Failed, "labels");

    [Fact]
    public async Task Another_kind_of_output_is_refused() =>
        (await ToolRun.Of("train", "--arch", "resnet20", "--images", files.Images, "--output", files.File("x.pt"))).Fails(Tool.WrongUsage, ".safetensors");

    private Task<ToolRun> Train(string output, params string[] more) =>
        ToolRun.Of(["train", "--arch", "resnet20", "--images", files.Images, "--output", output, "--epochs", "12", "--batch", "6", "--rate", "0.02", "--threads", "2", .. more]);
}
