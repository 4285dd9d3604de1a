namespace MLNet.PQCompression.Cli.Tests;

public sealed class HelpTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Theory]
    [InlineData("inspect")]
    [InlineData("analyze")]
    [InlineData("init")]
    [InlineData("compress")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("bench")]
    [InlineData("export")]
    [InlineData("train")]
    public async Task Options_fit_80_columns_and_defaults_are_as_they_are_typed(string command)
    {
        string help = (await ToolRun.Of(command, "--help")).Output;
        string options = help[..help.IndexOf("Example", StringComparison.Ordinal)];
        Assert.All(options.Split('\n'), l => Assert.True(l.Length <= 80, l));
        Assert.DoesNotMatch(@"\[default:\s+[A-Z]", options);
    }

    [Fact]
    public async Task Required_options_are_marked_and_exit_codes_listed()
    {
        Assert.Matches(@"--images\s+<SRC>\s+\(REQUIRED\)", (await ToolRun.Of("evaluate", "--help")).Output);
        Assert.Equal(2, (await ToolRun.Of("compress", "--help")).Output.Split("REQUIRED").Length - 1);
        string root = (await ToolRun.Of("--help")).Output;
        Assert.Contains("Exit codes:", root, StringComparison.Ordinal);
        Assert.Contains("2  the arguments are wrong", root, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("did you mean '--target-size'?", "compress", "m.onnx", "--images", "x", "--output", "y.onnx", "--target-siez", "2MB")]
    [InlineData("did you mean '--overwrite'?", "compress", "m.onnx", "--images", "x", "--output", "y.onnx", "--overwrit")]
    [InlineData("did you mean 'compress'?", "compres", "m.onnx")]
    public async Task A_name_that_is_nearly_one_is_suggested(string suggestion, params string[] arguments)
    {
        ToolRun run = await ToolRun.Of(arguments);
        Assert.Equal(Tool.WrongUsage, run.Code);
        Assert.Contains(suggestion, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tables_fit_80_columns()
    {
        foreach (string[] arguments in new string[][] { ["inspect", files.Model], ["analyze", files.Model, "--images", files.Images], ["bench", files.Model, "--calls", "2"] })
        {
            ToolRun run = await ToolRun.Of(arguments);
            Assert.Equal(Tool.Succeeded, run.Code);
            string[] lines = run.Output.Split('\n');
            int table = Array.FindIndex(lines, l => l.StartsWith("---", StringComparison.Ordinal));
            Assert.All(lines.Skip(table - 1).TakeWhile(l => l.Length > 0), l => Assert.True(l.Length <= 80, l));
        }
    }

    [Fact]
    public async Task The_version_names_the_commit() => Assert.Matches(@"^mlnet-pq \d+\.\d+\.\d+\S*, commit [0-9a-f]{7,40}\s*$", (await ToolRun.Of("--version")).Output);

    [Theory]
    [InlineData("compress --targ", "--target-size")]
    [InlineData("inspect m.onnx --blocks ", "large")]
    [InlineData("ana", "analyze")]
    public async Task A_shell_can_complete(string line, string completion) =>
        Assert.Contains(completion, (await ToolRun.Of($"[suggest:{line.Length}]", line)).Output.Split('\n').Select(l => l.Trim()));

    [Fact]
    public async Task Inspect_tells_how_long_and_how_much_memory()
    {
        System.Text.Json.JsonElement estimate = (await ToolRun.Of("inspect", files.Model, "--max-images", "64", "--json")).Json().GetProperty("estimate");
        Assert.Equal(64, estimate.GetProperty("images").GetInt32());
        Assert.True(estimate.GetProperty("seconds").GetDouble() > 0);
        // 64 images of 12×12 with 32 channels in two networks are a few megabytes, beside what the process takes.
        Assert.InRange(estimate.GetProperty("memoryBytes").GetInt64(), 151L << 20, 250L << 20);
        Assert.Contains("compress would take about", (await ToolRun.Of("inspect", files.Model)).Output, StringComparison.Ordinal);
    }
}
