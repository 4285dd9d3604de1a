using System.Text.Json;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class EvaluateTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task Class_folders_give_labels_and_a_model_agrees_with_itself()
    {
        JsonElement json = (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--teacher", files.Model, "--json")).Json();
        Assert.Equal(files.ImageCount, json.GetProperty("images").GetInt32());
        Assert.Equal(files.ImageCount, json.GetProperty("labelled").GetInt32());
        // Four classes: each is among the best five.
        Assert.Equal(files.ImageCount, json.GetProperty("top5").GetInt32());
        Assert.InRange(json.GetProperty("top1").GetInt32(), 0, files.ImageCount);
        Assert.Equal(files.ImageCount, json.GetProperty("agreement").GetInt32());
        Assert.Equal(0, json.GetProperty("kl").GetDouble(), 9);
    }

    [Fact]
    public async Task Evaluation_agrees_with_prediction()
    {
        JsonElement evaluation = (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--json")).Json();
        JsonElement prediction = (await ToolRun.Of("predict", files.Model, files.Images, "--top", "1", "--json")).Json();
        int right = prediction.GetProperty("images").EnumerateArray().Count(i =>
            i.GetProperty("image").GetString()!.StartsWith($"class{i.GetProperty("classes")[0].GetProperty("class").GetInt32()}/", StringComparison.Ordinal));
        Assert.Equal(right, evaluation.GetProperty("top1").GetInt32());
        Assert.Equal(JsonValueKind.Null, evaluation.GetProperty("agreement").ValueKind);
    }

    [Fact]
    public async Task Class_folders_are_numbered_as_the_model_names_its_classes()
    {
        string named = files.File("named.onnx");
        ModelGraph model = TinyModel.Create();
        OnnxWriter.Write(model.WithMetadata(model.Metadata.SetItems([ClassNames.ToMetadata(["class3", "class2", "class1", "class0"])])), named);
        JsonElement prediction = (await ToolRun.Of("predict", named, files.Images, "--top", "1", "--json")).Json();
        int right = prediction.GetProperty("images").EnumerateArray().Count(i =>
            i.GetProperty("image").GetString()!.StartsWith($"{i.GetProperty("classes")[0].GetProperty("name").GetString()}/", StringComparison.Ordinal));
        JsonElement evaluation = (await ToolRun.Of("evaluate", named, "--images", files.Images, "--json")).Json();
        Assert.Equal(right, evaluation.GetProperty("top1").GetInt32());

        // A list of indices and a list of names say the same.
        string folder = System.IO.Path.Combine(files.Images, "class2");
        string[] results = await Task.WhenAll(new[] { "class2", "1" }.Select(async label =>
        {
            string path = files.File($"list-{label}.csv");
            await File.WriteAllLinesAsync(path, Enumerable.Range(0, 6).Select(i => $"{i:00}.ppm,{label}"));
            return (await ToolRun.Of("evaluate", named, "--images", folder, "--labels", path, "--json")).Json().GetProperty("top1").GetRawText();
        }));
        Assert.Equal(results[0], results[1]);

        string names = files.File("wrong.txt");
        await File.WriteAllLinesAsync(names, ["a", "b", "c", "d"]);
        (await ToolRun.Of("evaluate", named, "--images", files.Images, "--classes", names)).Fails(Tool.Failed, "class0", "a, b, c, d");
    }

    [Fact]
    public async Task Another_teacher_disagrees_by_a_positive_divergence()
    {
        JsonElement json = (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--teacher", files.OtherModel, "--limit", "7", "--json")).Json();
        Assert.Equal(7, json.GetProperty("images").GetInt32());
        Assert.True(json.GetProperty("kl").GetDouble() > 0);
        (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--teacher", files.SevenClasses)).Fails(Tool.Failed, "4 classes", "7");
    }

    [Fact]
    public async Task Labels_may_come_from_a_list()
    {
        string list = files.File("labels.csv");
        await File.WriteAllTextAsync(list, "file,class_index\n00.ppm,1\n01.ppm,3\n");
        JsonElement json = (await ToolRun.Of("evaluate", files.Model, "--images", System.IO.Path.Combine(files.Images, "class2"), "--labels", list, "--json")).Json();
        Assert.Equal((6, 2), (json.GetProperty("images").GetInt32(), json.GetProperty("labelled").GetInt32()));
        await File.WriteAllTextAsync(list, "00.ppm,9\n");
        (await ToolRun.Of("evaluate", files.Model, "--images", System.IO.Path.Combine(files.Images, "class2"), "--labels", list)).Fails(Tool.Failed, "00.ppm", "label 9", "4 classes");
    }

    [Fact]
    public async Task The_table_says_what_is_missing_and_what_was_left_out()
    {
        ToolRun run = await ToolRun.Of("evaluate", files.Model, "--images", System.IO.Path.Combine(files.ImagesWithABadOne, "class0"));
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Contains("No labels", run.Output, StringComparison.Ordinal);
        Assert.Contains("6 images", run.Output, StringComparison.Ordinal);
        Assert.Contains("1 left out", run.Output, StringComparison.Ordinal);
        Assert.Contains("broken.png", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_that_are_not_there_or_all_bad_are_errors()
    {
        (await ToolRun.Of("evaluate", files.Model, "--images", files.File("nowhere"))).Fails(Tool.Failed, "nowhere");
        string bad = System.IO.Path.Combine(files.ImagesWithABadOne, "class0", "broken.png");
        (await ToolRun.Of("evaluate", files.Model, "--images", bad)).Fails(Tool.Failed, "None of the 1 images", "broken.png");
    }
}
