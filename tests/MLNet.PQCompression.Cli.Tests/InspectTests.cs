using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class InspectTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task The_plan_is_shown_layer_by_layer()
    {
        JsonElement json = (await ToolRun.Of("inspect", files.Model, "--json")).Json();
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()];
        Assert.Equal(4, layers.Length);
        Assert.False(json.GetProperty("compressed").GetBoolean());
        Assert.Equal(JsonValueKind.Null, layers[0].GetProperty("blockSize").ValueKind);
        Assert.Equal("first convolution", layers[0].GetProperty("reason").GetString());
        // 16×8×3×3 in blocks of 9: 128 blocks, k = 128/4 = 32 of 5 bits; the codebook is 32·9 half floats. In the file's 128 + 576 bytes there is room for 384 blocks of 3 and 53 codewords of 6 bits.
        Assert.Equal((3, 53), (layers[1].GetProperty("blockSize").GetInt32(), layers[1].GetProperty("codewords").GetInt32()));
        Assert.Equal(384 * 6 / 8 + 53 * 3 * 2, layers[1].GetProperty("paperBytes").GetInt64());
        Assert.Equal(new FileInfo(files.Model).Length, json.GetProperty("fileBytes").GetInt64());
        Assert.InRange(json.GetProperty("paperBytes").GetInt64(), 1, json.GetProperty("denseBytes").GetInt64());
        Assert.InRange(json.GetProperty("seconds").GetDouble(), 0, 60);
    }

    [Fact]
    public async Task The_table_names_every_layer_and_follows_the_options()
    {
        ToolRun run = await ToolRun.Of("inspect", files.Model, "--layer", "conv2*:d=18,k=16", "--layer", "conv3:skip");
        Assert.Equal(Tool.Succeeded, run.Code);
        string[] lines = run.Output.Split('\n');
        Assert.Contains(lines, l => l.StartsWith("conv2.weight", StringComparison.Ordinal) && l.Contains(" 18  16 ", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("conv3.weight", StringComparison.Ordinal) && l.Contains("left alone as asked", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("times smaller", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_compressed_model_shows_what_it_has()
    {
        JsonElement json = (await ToolRun.Of("inspect", await files.Compressed(), "--json")).Json();
        Assert.True(json.GetProperty("compressed").GetBoolean());
        JsonElement layer = json.GetProperty("layers")[1];
        Assert.Equal(("quantized", 3, 53), (layer.GetProperty("reason").GetString(), layer.GetProperty("blockSize").GetInt32(), layer.GetProperty("codewords").GetInt32()));
        JsonElement plan = (await ToolRun.Of("inspect", files.Model, "--json")).Json();
        Assert.Equal(plan.GetProperty("paperBytes").GetInt64(), json.GetProperty("paperBytes").GetInt64());
    }
}
