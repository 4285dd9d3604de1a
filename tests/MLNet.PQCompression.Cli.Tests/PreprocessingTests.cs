using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>What pictures become is stated by options, kept in the file, and never assumed without a line.</summary>
public sealed class PreprocessingTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task The_order_of_the_channels_can_be_stated()
    {
        string model = ColourModel.Write(files.File("colours.onnx")), red = files.File("red.ppm");
        ColourModel.WriteImage(red, 0);
        foreach ((string order, int expected) in new[] { ("rgb", 0), ("bgr", 2) })
            Assert.Equal(expected, await Top(model, red, ["--order", order, .. ColourModel.Plain]));
        Assert.Equal(0, await Top(model, red, "--range", "255", "--mean", "0,0,0", "--std", "255,255,255"));
        // Means are red first, whatever the order: without its red the picture is black.
        Assert.Equal(6, await Top(model, red, "--order", "bgr", "--mean", "1,0,0", "--std", "1,1,1"));
    }

    [Fact]
    public async Task What_is_assumed_is_told_and_what_is_stated_is_kept_in_the_file()
    {
        ToolRun assumed = await ToolRun.Of("predict", files.Model, files.OneImage, "--json");
        Assert.Contains("order, range, mean and std, fit assumed", assumed.Error, StringComparison.Ordinal);
        string output = files.File("stated.onnx");
        ToolRun run = await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--json",
            "--order", "bgr", "--range", "255", "--mean", "3,2,1", "--std", "6,5,4", "--fit", "letterbox");
        run.Json();
        Assert.DoesNotContain("assumed", run.Error, StringComparison.Ordinal);
        JsonElement inspected = (await ToolRun.Of("inspect", output, "--json")).Json();
        Assert.Equal("resize=letterbox:114;crop=12x12;order=bgr;range=255;mean=3,2,1;std=6,5,4", inspected.GetProperty("metadata").GetProperty("pq.preprocessing").GetString());
        Assert.DoesNotContain("images:", (await ToolRun.Of("predict", output, files.OneImage, "--json")).Error, StringComparison.Ordinal);
        Assert.Contains("mean and std assumed", (await ToolRun.Of("predict", output, files.OneImage, "--json", "--range", "1")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mean_image_is_read_and_kept()
    {
        string mean = files.File("mean.ppm"), output = files.File("mean.onnx");
        await System.IO.File.WriteAllBytesAsync(mean, [.. "P6 12 12 255\n"u8, .. Enumerable.Range(0, 432).Select(i => (byte)(100 + i % 7))]);
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--json", "--range", "255", "--mean", "0,0,0", "--std", "1,1,1", "--mean-image", mean)).Json();
        string stated = (await ToolRun.Of("predict", files.Model, files.OneImage, "--json", "--range", "255", "--mean", "0,0,0", "--std", "1,1,1", "--mean-image", mean)).Output;
        Assert.NotEqual(stated, (await ToolRun.Of("predict", files.Model, files.OneImage, "--json", "--range", "255", "--mean", "0,0,0", "--std", "1,1,1")).Output);
        Assert.Contains("mean-image=3x12x12:", (await ToolRun.Of("inspect", output, "--json")).Json().GetProperty("metadata").GetProperty("pq.preprocessing").GetString(), StringComparison.Ordinal);
        ColourModel.WriteImage(files.File("small.ppm"), 0);
        (await ToolRun.Of("predict", files.Model, files.OneImage, "--mean-image", files.File("small.ppm"))).Fails(Tool.Failed, "small.ppm", "8×8", "12×12");
    }

    [Theory]
    [InlineData("--order", "yuv")]
    [InlineData("--range", "2")]
    [InlineData("--fit", "fill")]
    [InlineData("--size", "12xx12")]
    [InlineData("--size", "13x12")]
    [InlineData("--fit", "stretch", "--resize", "20")]
    public async Task Wrong_options_are_refused(params string[] options) =>
        (await ToolRun.Of(["predict", files.Model, files.OneImage, .. options])).Fails(Tool.WrongUsage, options[^2]);

    [Fact]
    public async Task A_network_that_does_not_know_such_pictures_is_warned_of()
    {
        string shapes = Shapes();
        string[] arguments = ["evaluate", System.IO.Path.Combine(shapes, "teacher.onnx"), "--images", System.IO.Path.Combine(shapes, "test.zip"), "--limit", "64", "--json"];
        Assert.DoesNotContain("warning", (await ToolRun.Of(arguments)).Error, StringComparison.Ordinal);
        ToolRun wrong = await ToolRun.Of([.. arguments, "--range", "255", "--mean", "0,0,0", "--std", "1,1,1"]);
        Assert.Contains("warning: the network tells", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("from 0 to 1, less 0.485, 0.456, 0.406", wrong.Error, StringComparison.Ordinal);
    }

    private static async Task<int> Top(string model, string image, params string[] options) =>
        (await ToolRun.Of(["predict", model, image, "--top", "1", "--json", .. options])).Json().GetProperty("images")[0].GetProperty("classes")[0].GetProperty("class").GetInt32();

    private static string Shapes()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (System.IO.File.Exists(System.IO.Path.Combine(d.FullName, "MLNet.PQCompression.sln")))
                return System.IO.Path.Combine(d.FullName, "datasets", "shapes10");
        throw new DirectoryNotFoundException("The tests run outside of the repository.");
    }
}
