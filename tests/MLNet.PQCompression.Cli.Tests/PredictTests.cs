using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class PredictTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task The_likeliest_classes_come_with_names_and_probabilities()
    {
        string names = files.File("names.txt");
        await File.WriteAllLinesAsync(names, ["cat", "dog", "bird", "fish"]);
        JsonElement json = (await ToolRun.Of("predict", files.Model, files.OneImage, System.IO.Path.Combine(files.Images, "class0", "00.ppm"), "--classes", names, "--json")).Json();
        JsonElement[] images = [.. json.GetProperty("images").EnumerateArray()];
        Assert.Equal(files.OneImage, images[0].GetProperty("image").GetString());
        foreach (JsonElement image in images)
        {
            JsonElement[] classes = [.. image.GetProperty("classes").EnumerateArray()];
            double[] probabilities = [.. classes.Select(c => c.GetProperty("probability").GetDouble())];
            Assert.Equal(1, probabilities.Sum(), 6);
            Assert.Equal(probabilities.OrderDescending(), probabilities);
            Assert.All(classes, c => Assert.Equal(new[] { "cat", "dog", "bird", "fish" }[c.GetProperty("class").GetInt32()], c.GetProperty("name").GetString()));
        }
    }

    [Fact]
    public async Task The_table_has_as_many_lines_as_asked_for()
    {
        ToolRun run = await ToolRun.Of("predict", files.Model, files.OneImage, "--top", "2");
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Equal(2 + 2, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_list_of_names_that_does_not_fit_and_an_image_that_is_not_there_are_named()
    {
        string names = files.File("two.txt");
        await File.WriteAllLinesAsync(names, ["cat", "dog"]);
        (await ToolRun.Of("predict", files.Model, files.OneImage, "--classes", names)).Fails(Tool.Failed, "two.txt", "2", "4");
        (await ToolRun.Of("predict", files.Model, files.OneImage, "no-such.png")).Fails(Tool.Failed, "no-such.png");
    }
}
