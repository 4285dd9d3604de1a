using System.Text.Json;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>predict and evaluate of networks that are no classifiers, or are not to be taken for one: --task.</summary>
public sealed class TaskTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task Predict_prints_every_output_by_name()
    {
        string model = TwoOutputs("two.onnx", 1);
        JsonElement json = (await ToolRun.Of("predict", model, files.OneImage, "--json")).Json();
        JsonElement[] outputs = [.. json.GetProperty("images")[0].GetProperty("outputs").EnumerateArray()];
        Assert.Equal(["features", "pooled"], outputs.Select(o => o.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.Contains("kernels of", json.GetProperty("engine").GetString(), StringComparison.Ordinal);
        ToolRun table = await ToolRun.Of("predict", model, files.OneImage);
        Assert.Equal(Tool.Succeeded, table.Code);
        Assert.Contains("1×32×1×1", table.Output, StringComparison.Ordinal);
        Assert.Contains("scored by kernels", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_compares_every_output_with_the_teachers()
    {
        JsonElement json = (await ToolRun.Of("evaluate", TwoOutputs("a.onnx", 1), "--images", files.Images, "--teacher", TwoOutputs("b.onnx", 2), "--json")).Json();
        Assert.Equal(files.ImageCount, json.GetProperty("images").GetInt32());
        Assert.All(json.GetProperty("outputs").EnumerateArray(), o => Assert.InRange(o.GetProperty("cosine").GetDouble(), 0.01, 0.999));
        JsonElement same = (await ToolRun.Of("evaluate", TwoOutputs("a.onnx", 1), "--images", files.Images, "--teacher", TwoOutputs("a.onnx", 1), "--json")).Json();
        Assert.All(same.GetProperty("outputs").EnumerateArray(), o => Assert.Equal(1, o.GetProperty("cosine").GetDouble(), 6));
        (await ToolRun.Of("evaluate", TwoOutputs("a.onnx", 1), "--images", files.Images)).Fails(Tool.WrongUsage, "--teacher");
    }

    [Fact]
    public async Task A_task_that_is_stated_decides()
    {
        JsonElement outputs = (await ToolRun.Of("predict", files.Model, files.OneImage, "--task", "outputs", "--json")).Json();
        Assert.Equal("logits", outputs.GetProperty("images")[0].GetProperty("outputs")[0].GetProperty("name").GetString());
        JsonElement compared = (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--teacher", files.OtherModel, "--task", "outputs", "--json")).Json();
        Assert.Equal("logits", Assert.Single(compared.GetProperty("outputs").EnumerateArray()).GetProperty("name").GetString());
        JsonElement classes = (await ToolRun.Of("predict", files.Model, files.OneImage, "--task", "classes", "--json")).Json();
        Assert.Equal(TinyModel.Classes, classes.GetProperty("images")[0].GetProperty("classes").GetArrayLength());
        (await ToolRun.Of("predict", TwoOutputs("c.onnx", 1), files.OneImage, "--task", "classes")).Fails(Tool.WrongUsage, "--task outputs");
    }

    [Fact]
    public async Task A_row_of_numbers_is_no_classes_unless_something_says_so()
    {
        string features = Features("f.onnx", 1), others = Features("g.onnx", 2);
        JsonElement compared = (await ToolRun.Of("evaluate", features, "--images", files.OneImage, "--teacher", others, "--json")).Json();
        Assert.Equal("pooled", Assert.Single(compared.GetProperty("outputs").EnumerateArray()).GetProperty("name").GetString());
        JsonElement predicted = (await ToolRun.Of("predict", features, files.OneImage, "--json")).Json();
        Assert.Equal("pooled", predicted.GetProperty("images")[0].GetProperty("outputs")[0].GetProperty("name").GetString());
        string names = files.File("names.txt");
        File.WriteAllLines(names, Enumerable.Range(0, 32).Select(i => $"class {i}"));
        foreach (string[] said in new[] { ["--task", "classes"], new[] { "--classes", names } })
            Assert.True((await ToolRun.Of(["evaluate", features, "--images", files.OneImage, "--teacher", others, "--json", .. said])).Json().TryGetProperty("agreement", out _));
    }

    /// <summary>The tiny model up to its pooled features.</summary>
    private string Features(string name, int seed)
    {
        ModelGraph model = TinyModel.Create(seed);
        string path = files.File(name);
        OnnxWriter.Write(new ModelGraph(model.Name, model.Input, [new("pooled", new(-1, 32, 1, 1))], [.. model.Nodes.TakeWhile(n => n.Output != "features")],
            model.Initializers.Where(i => !i.Key.StartsWith("fc.", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal)), path);
        return path;
    }

    /// <summary>The tiny model up to its features, which it gives in both shapes.</summary>
    private string TwoOutputs(string name, int seed)
    {
        ModelGraph model = TinyModel.Create(seed);
        string path = files.File(name);
        OnnxWriter.Write(new ModelGraph(model.Name, model.Input, [new("features", new(-1, 32)), new("pooled", new(-1, 32, 1, 1))], model.Nodes[..^1],
            model.Initializers.Where(i => !i.Key.StartsWith("fc.", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal)), path);
        return path;
    }
}
