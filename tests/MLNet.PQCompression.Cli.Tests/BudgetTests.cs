using System.Text.Json;
using MLNet.PQCompression.Cli.Options;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class BudgetTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Theory]
    [InlineData("2000", 2000)]
    [InlineData("900KB", 900 * 1024)]
    [InlineData("1.5 mb", 3 * 512 * 1024)]
    [InlineData("7B", 7)]
    [InlineData("MB", null)]
    [InlineData("-3KB", null)]
    [InlineData("0", null)]
    [InlineData("1e9", null)]
    [InlineData("99999999GB", null)]
    public void Sizes_are_read_in_1024s(string text, int? bytes) => Assert.Equal(bytes, BudgetArguments.Size(text));

    [Fact]
    public async Task A_target_is_kept_to_by_the_written_file_and_reported()
    {
        string output = files.File("target.onnx"), page = files.File("target.html");
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--target-size", "6KB", "--report", page, "--json")).Json();
        Assert.InRange(new FileInfo(output).Length, 4 * 1024, 6 * 1024);
        Assert.Equal(new FileInfo(output).Length, json.GetProperty("fileBytes").GetInt64());
        Assert.Contains(ModelFile.Load(output).Initializers.Values, i => i is QuantizedTensor);
        Assert.Contains("class=\"chosen\"", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
        Assert.Contains("6144", ModelFile.Load(output).Metadata["pq.configuration"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_budget_is_the_work_of_one_process() =>
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("none.onnx"), "--target-size", "6KB", "--mpi")).Fails(Tool.WrongUsage, "--mpi", "--layer");

    [Fact]
    public async Task A_target_that_cannot_be_reached_says_what_can()
    {
        string output = files.File("unreachable.onnx");
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--target-size", "1KB")).Fails(Tool.Failed, "1,024 bytes", "the smallest plan takes");
        Assert.False(File.Exists(output));
    }

    [Theory]
    [InlineData("--target-size", "some")]
    [InlineData("--target-ratio", "0.5")]
    [InlineData("--max-kl", "-1")]
    [InlineData("--max-loss", "120%")]
    [InlineData("--target-ratio", "8", "--max-kl", "0.1")]
    public async Task A_limit_that_makes_no_sense_is_a_usage_error(params string[] limit) =>
        (await ToolRun.Of(["compress", files.Model, "--images", files.Images, "--output", files.File("none.onnx"), .. limit])).Fails(Tool.WrongUsage, limit[0]);

    [Fact]
    public async Task Blocks_between_small_and_large_are_a_matter_of_the_budget() =>
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("none.onnx"), "--blocks", "mixed")).Fails(Tool.WrongUsage, "'mixed'", "small|large", "--target-size");

    [Fact]
    public async Task An_analysis_tells_of_every_layer_and_size_and_writes_nothing()
    {
        string before = string.Join('\n', Directory.GetFiles(files.Path));
        JsonElement json = (await ToolRun.Of("analyze", files.Model, "--images", files.Images, "--json")).Json();
        Assert.Equal("classes", json.GetProperty("kind").GetString());
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()], curve = [.. json.GetProperty("curve").EnumerateArray()];
        Assert.Equal(["conv1", "conv2", "conv3", "fc"], layers.Select(l => l.GetProperty("name").GetString()));
        Assert.Equal(JsonValueKind.Null, layers[0].GetProperty("divergence").ValueKind);
        Assert.All(layers.Skip(1), l => Assert.True(l.GetProperty("divergence").GetDouble() >= 0 && l.GetProperty("choices").GetArrayLength() > 1));
        Assert.All(curve.Zip(curve.Skip(1)), p => Assert.True(p.First.GetProperty("fileBytes").GetInt64() < p.Second.GetProperty("fileBytes").GetInt64()));
        Assert.Contains("The best plan of each size", (await ToolRun.Of("analyze", files.Model, "--images", files.Images)).Output, StringComparison.Ordinal);
        Assert.Equal(before, string.Join('\n', Directory.GetFiles(files.Path)));
    }
}
