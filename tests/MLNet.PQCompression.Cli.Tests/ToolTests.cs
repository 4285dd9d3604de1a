using System.Diagnostics;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class ToolTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task An_unknown_command_and_no_command_are_usage_errors()
    {
        ToolRun run = await ToolRun.Of("no-such-command");
        Assert.Equal(Tool.WrongUsage, run.Code);
        Assert.Contains("no-such-command", run.Error, StringComparison.Ordinal);
        Assert.Equal(Tool.WrongUsage, (await ToolRun.Of()).Code);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("compress")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("export")]
    public async Task Every_command_has_help_with_an_example_and_the_common_options(string command)
    {
        ToolRun run = await ToolRun.Of(command, "--help");
        Assert.Equal(Tool.Succeeded, run.Code);
        Assert.Contains("Example", run.Output, StringComparison.Ordinal);
        Assert.Contains($"  mlnet-pq {command} ", run.Output, StringComparison.Ordinal);
        Assert.Contains("--json", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("compress", "--images", "x", "--output", "none.onnx")]
    [InlineData("evaluate", "--images", "x")]
    [InlineData("predict", "x.png")]
    [InlineData("export", "--output", "none.onnx")]
    public async Task A_model_that_is_not_there_is_named(string command, params string[] rest) =>
        (await ToolRun.Of([command, "no-such-model.onnx", .. rest])).Fails(Tool.Failed, "no-such-model.onnx");

    [Theory]
    [InlineData("inspect", "--k", "1")]
    [InlineData("inspect", "--k", "many")]
    [InlineData("inspect", "--blocks", "medium")]
    [InlineData("inspect", "--layer", "fc")]
    [InlineData("inspect", "--layer", "no-such-layer:skip")]
    [InlineData("inspect", "--layer", "fc:d=5")]
    [InlineData("compress", "--images", "x")]
    [InlineData("compress", "--output", "x.onnx")]
    [InlineData("compress", "--dry-run", "--method", "best")]
    [InlineData("compress", "--dry-run", "--max-images", "0")]
    [InlineData("evaluate", "--images", "x", "--limit", "0")]
    [InlineData("evaluate", "--images", "x", "--threads", "-1")]
    [InlineData("evaluate", "--images", "IMAGES", "--mean", "1,2")]
    [InlineData("evaluate", "--images", "IMAGES", "--std", "1,0,1")]
    [InlineData("evaluate", "--images", "IMAGES", "--crop", "20")]
    [InlineData("predict", "x.png", "--top", "0")]
    [InlineData("export", "--output", "x.pt")]
    [InlineData("export", "--output", "x.safetensors", "--opset", "17")]
    [InlineData("export", "--output", "x.onnx", "--opset", "5")]
    public async Task Wrong_arguments_are_usage_errors(string command, params string[] rest)
    {
        ToolRun run = await ToolRun.Of([command, files.Model, .. rest.Select(a => a == "IMAGES" ? files.Images : a)]);
        run.Fails(Tool.WrongUsage);
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_refused_in_one_line()
    {
        string path = files.File("text.onnx");
        await System.IO.File.WriteAllTextAsync(path, "this is no model");
        (await ToolRun.Of("inspect", path)).Fails(Tool.Failed, "text.onnx");
    }

    [Fact]
    public async Task Verbose_shows_where_an_error_came_from()
    {
        ToolRun run = await ToolRun.Of("inspect", "no-such-model.onnx", "--verbose");
        Assert.Equal(Tool.Failed, run.Code);
        Assert.Contains("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tool_runs_as_a_process_of_its_own()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { System.IO.Path.Combine(AppContext.BaseDirectory, "mlnet-pq.dll"), "predict", files.Model, files.OneImage, "--json" })
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        System.Text.Json.JsonElement json = new ToolRun(process.ExitCode, output, await error).Json();
        Assert.Equal(4, json.GetProperty("images")[0].GetProperty("classes").GetArrayLength());
    }
}
