using System.Text.Json;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class BenchTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task Every_layer_is_timed_and_shares_sum_to_one()
    {
        JsonElement json = (await ToolRun.Of("bench", await files.Compressed(), "--batch", "2", "--calls", "3", "--threads", "1", "--compare-dense", "--json")).Json();
        JsonElement run = json.GetProperty("run");
        JsonElement[] layers = [.. run.GetProperty("layers").EnumerateArray()];
        Assert.Contains(layers, l => l.GetProperty("name").GetString()!.Contains("conv2", StringComparison.Ordinal));
        Assert.Equal(1, layers.Sum(l => l.GetProperty("share").GetDouble()), 6);
        Assert.True(run.GetProperty("medianMilliseconds").GetDouble() <= run.GetProperty("p95Milliseconds").GetDouble());
        Assert.True(run.GetProperty("weightBytes").GetInt64() > 0);
        Assert.Equal(JsonValueKind.Object, json.GetProperty("dense").ValueKind);
    }

    [Fact]
    public async Task The_text_shows_kernels_and_rates()
    {
        ToolRun run = await ToolRun.Of("bench", files.Model, "--calls", "1");
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Contains("GFLOP/s", run.Output);
        Assert.Contains("direct", run.Output);
    }

    [Fact]
    public async Task A_model_of_several_outputs_and_open_sizes_is_timed_at_a_size_that_is_told()
    {
        ModelGraph tiny = TinyModel.Create();
        var open = new ModelGraph("open", new("image", new(-1, 3, -1, -1)), [.. tiny.Outputs, new("conv3.relu.out", new())], tiny.Nodes, tiny.Initializers);
        using var folder = new TemporaryFolder();
        string model = folder.File("open.onnx");
        OnnxWriter.Write(open, model);
        ToolRun run = await ToolRun.Of("bench", model, "--calls", "1");
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Contains("timed with 3×224×224, --size N", run.Error);
        Assert.Contains("32×224×224", run.Output);
        run = await ToolRun.Of("bench", model, "--calls", "1", "--size", "16");
        Assert.DoesNotContain("note:", run.Error);
        Assert.Contains("32×16×16", run.Output);
    }
}
