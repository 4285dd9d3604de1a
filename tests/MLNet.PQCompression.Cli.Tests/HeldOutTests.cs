using System.Text.Json;
using Json.Schema;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class HeldOutTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task Of_128_images_or_more_some_are_held_out_and_compared_on()
    {
        string images = TinyModel.WriteImages(files.File("many"), perClass: 33), page = files.File("held.html"), data = files.File("held.json");
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--images", images, "--output", files.File("held.onnx"), "--json", "--report", page, "--report", data)).Json();
        Assert.Equal(100, json.GetProperty("images").GetInt32());
        JsonElement held = json.GetProperty("heldOut");
        Assert.Equal((32, "classes"), (held.GetProperty("images").GetInt32(), held.GetProperty("kind").GetString()));
        Assert.InRange(held.GetProperty("agreement").GetInt32(), 1, 32);
        Assert.InRange(held.GetProperty("kl").GetDouble(), 0, 5);
        Assert.Contains("of 32 images", held.GetProperty("meaning").GetString(), StringComparison.Ordinal);
        Assert.Contains("held.onnx", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
        JsonElement report = JsonDocument.Parse(await File.ReadAllTextAsync(data)).RootElement;
        var schema = JsonSchema.FromText(await File.ReadAllTextAsync(files.File(report.GetProperty("$schema").GetString()!)));
        Assert.True(schema.Evaluate(report).IsValid);
        Assert.Equal((132, 32), (report.GetProperty("images").GetProperty("found").GetInt32(), report.GetProperty("images").GetProperty("heldOut").GetInt32()));
        Assert.Equal("fitted", report.GetProperty("configuration").GetProperty("blocks").GetString());
    }

    [Fact]
    public async Task How_many_can_be_said_and_none_below_128()
    {
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--output", files.File("few.onnx"), "--overwrite", "--json"];
        Assert.Equal(JsonValueKind.Null, (await ToolRun.Of(arguments)).Json().GetProperty("heldOut").ValueKind);
        JsonElement json = (await ToolRun.Of([.. arguments, "--held-out", "6"])).Json();
        Assert.Equal((files.ImageCount - 6, 6), (json.GetProperty("images").GetInt32(), json.GetProperty("heldOut").GetProperty("images").GetInt32()));
        (await ToolRun.Of([.. arguments, "--held-out", "24"])).Fails(Tool.WrongUsage, "--held-out 24", "24 images");
    }

    [Fact]
    public async Task The_result_says_what_the_check_means_or_that_there_was_none()
    {
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--output", files.File("said.onnx"), "--overwrite"];
        Assert.Contains("Not checked", (await ToolRun.Of(arguments)).Output, StringComparison.Ordinal);
        Assert.Contains("The two name the same class on", (await ToolRun.Of([.. arguments, "--held-out", "4"])).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_of_another_kind_or_over_another_file_is_refused_before_the_work()
    {
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--output", files.File("unreported.onnx"), "--report"];
        (await ToolRun.Of([.. arguments, "report.pdf"])).Fails(Tool.WrongUsage, "report.pdf", ".html or .json");
        string mine = files.File("mine.html");
        await File.WriteAllTextAsync(mine, "mine");
        (await ToolRun.Of([.. arguments, mine])).Fails(Tool.Failed, "mine.html", "--overwrite");
        Assert.False(File.Exists(files.File("unreported.onnx")));
    }
}
