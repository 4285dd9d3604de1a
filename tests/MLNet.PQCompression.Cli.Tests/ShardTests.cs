using System.Text.Json;
using MLNet.PQCompression.Cli.Sharding;
using MLNet.PQCompression.Cli.Terminal;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>Parts of the images scored apart and merged: what one run gives.</summary>
public sealed class ShardTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(60)] // more than images: some shards are empty
    public async Task Merged_evaluations_are_those_of_a_single_run(int shards)
    {
        string folder = files.File($"scores-{shards}");
        string[] command = ["evaluate", files.Model, "--images", files.ImagesWithABadOne, "--teacher", files.OtherModel, "--json"];
        JsonElement single = (await ToolRun.Of(command)).Json();
        int images = 0;
        for (int i = 0; i < shards; i++)
            images += (await ToolRun.Of([.. command, "--results", folder, "--shard", $"{i}/{shards}"])).Json().GetProperty("images").GetInt32();
        Assert.Equal(files.ImageCount, images);
        Assert.Equal(Figures(single), Figures((await ToolRun.Of("merge", folder, "--json")).Json()));
    }

    [Fact]
    public async Task Merged_predictions_are_those_of_a_single_run()
    {
        string folder = files.File("predictions"), csv = files.File("predictions.csv"), lines = files.File("predictions.jsonl");
        string[] command = ["predict", files.Model, files.ImagesWithABadOne, "--top", "2", "--json"];
        JsonElement single = (await ToolRun.Of(command)).Json();
        for (int i = 0; i < 3; i++)
            (await ToolRun.Of([.. command, "--results", folder, "--shard", $"{i}/3"])).Json();
        Assert.Equal(Figures(single), Figures((await ToolRun.Of("merge", folder, "--output", csv, "--json")).Json()));
        string[] rows = await File.ReadAllLinesAsync(csv);
        Assert.Equal("image,rank,class,name,probability", rows[0]);
        Assert.Equal(1 + 2 * files.ImageCount, rows.Length);
        (await ToolRun.Of("merge", folder, "--output", lines, "--json")).Json();
        Assert.Equal(1 + files.ImageCount, (await File.ReadAllLinesAsync(lines)).Length); // the one that cannot be read too
        Assert.Contains(await File.ReadAllLinesAsync(lines), l => l.Contains("broken.png", StringComparison.Ordinal) && l.Contains("skipped", StringComparison.Ordinal));
        (await ToolRun.Of("merge", folder, "--output", csv)).Fails(Tool.Failed, "exists already", "--overwrite");
        (await ToolRun.Of("merge", folder, "--output", files.File("predictions.txt"))).Fails(Tool.WrongUsage, ".jsonl or .csv");
    }

    [Fact]
    public async Task Merged_outputs_are_those_of_a_single_run()
    {
        string folder = files.File("outputs");
        string[] command = ["predict", files.Model, files.Images, "--task", "outputs", "--json"];
        JsonElement single = (await ToolRun.Of(command)).Json();
        for (int i = 0; i < 2; i++)
            (await ToolRun.Of([.. command, "--results", folder, "--shard", $"{i}/2"])).Json();
        Assert.Equal(Figures(single), Figures((await ToolRun.Of("merge", folder, "--json")).Json()));
        (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--task", "outputs", "--teacher", files.OtherModel, "--results", folder)).Fails(Tool.WrongUsage, "classifiers");
    }

    [Fact]
    public async Task A_shard_that_was_stopped_is_told_and_run_again_to_the_same_bytes()
    {
        string folder = files.File("stopped");
        Task<ToolRun> Run(int shard, CancellationToken cancellation = default) =>
            ToolRun.Of(cancellation, "evaluate", files.Model, "--images", files.Images, "--results", folder, "--shard", $"{shard}/2");
        await Run(0);
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        Assert.Equal(Tool.Failed, (await Run(1, cancel.Token)).Code);
        (await ToolRun.Of("merge", folder)).Fails(Tool.Failed, "lacks 1 of 2 shards", "--shard 1/2");
        Assert.Contains("shard 1 of 2", (await Run(1)).Output, StringComparison.Ordinal);
        string path = Path.Combine(folder, "shard-1-of-2.jsonl");
        byte[] first = await File.ReadAllBytesAsync(path);
        await Run(1);
        Assert.Equal(first, await File.ReadAllBytesAsync(path));
        Assert.Equal(2, Directory.GetFiles(folder).Length); // nothing half written stays
        Assert.Contains("24 images", (await ToolRun.Of("merge", folder)).Output, StringComparison.Ordinal);

        string[] lines = await File.ReadAllLinesAsync(path);
        await File.WriteAllLinesAsync(path, lines[..^1]);
        (await ToolRun.Of("merge", folder)).Fails(Tool.Failed, "shard-1-of-2.jsonl", "cut off");
        await File.WriteAllTextAsync(path, string.Join('\n', lines)[..^9]);
        (await ToolRun.Of("merge", folder)).Fails(Tool.Failed, "shard-1-of-2.jsonl", $"line {lines.Length}");
    }

    [Fact]
    public async Task Shards_of_different_work_are_not_merged()
    {
        foreach ((string folder, string part, string[] second) in new (string, string, string[])[]
        {
            ("model", "model", ["evaluate", files.OtherModel, "--images", files.Images, "--shard", "1/2"]),
            ("number", "number of shards", ["evaluate", files.Model, "--images", files.Images, "--shard", "1/3"]),
            ("set", "set of images", ["evaluate", files.Model, "--images", files.Images, "--shard", "1/2", "--limit", "20"]),
            ("command", "command", ["predict", files.Model, files.Images, "--shard", "1/2"]),
            ("settings", "settings", ["evaluate", files.Model, "--images", files.Images, "--shard", "1/2", "--order", "bgr"]),
        })
        {
            string path = files.File("mixed-" + folder);
            (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--json", "--results", path, "--shard", "0/2")).Json();
            (await ToolRun.Of([.. second, "--json", "--results", path])).Json();
            (await ToolRun.Of("merge", path)).Fails(Tool.Failed, $"their {part}", "shard-1-of-");
        }
        (await ToolRun.Of("merge", files.File("nowhere"))).Fails(Tool.Failed, "nowhere");
        (await ToolRun.Of("merge", files.Images)).Fails(Tool.Failed, "holds no shard", "--results");
    }

    [Theory]
    [InlineData(null, null, "", 0, 1)]
    [InlineData("3/8", null, "", 3, 8)]
    [InlineData("3/8", 8, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=6", 3, 8)] // what is asked for wins
    [InlineData(null, null, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=6 SLURM_ARRAY_TASK_MIN=0", 5, 6)]
    [InlineData(null, 8, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=5", 5, 8)] // one of them run again
    [InlineData(null, 8, "JOB_COMPLETION_INDEX=7", 7, 8)]
    public void The_shard_is_found_in_the_environment(string? given, int? count, string environment, int index, int shards) =>
        Assert.Equal(new Shard(index, shards), Shard.Choose(given is null ? null : Shard.Parse(given), count, Variables(environment)));

    [Theory]
    [InlineData("3/8", 7, "", "--shards 7")]
    [InlineData(null, 8, "", "--shard I/8")]
    [InlineData(null, null, "JOB_COMPLETION_INDEX=7", "--shards N")]
    [InlineData(null, null, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_MIN=5", "--shards N")]
    [InlineData(null, null, "SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_COUNT")]
    [InlineData(null, 5, "SLURM_ARRAY_TASK_ID=5", "--array=0-4")]
    [InlineData(null, 5, "JOB_COMPLETION_INDEX=x", "no number")]
    public void An_environment_that_says_too_little_is_refused(string? given, int? count, string environment, string part) =>
        Assert.Contains(part, Assert.Throws<UsageException>(() => Shard.Choose(given is null ? null : Shard.Parse(given), count, Variables(environment))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("8/8")]
    [InlineData("-1/8")]
    [InlineData("1")]
    [InlineData("1/2/3")]
    public async Task A_shard_that_is_none_is_wrong_usage(string shard)
    {
        Assert.Null(Shard.Parse(shard));
        (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--results", files.File("none"), $"--shard={shard}")).Fails(Tool.WrongUsage, "0/8");
        (await ToolRun.Of("evaluate", files.Model, "--images", files.Images, "--shard", "0/2")).Fails(Tool.WrongUsage, "--results FOLDER");
    }

    private static Func<string, string?> Variables(string text)
    {
        Dictionary<string, string> all = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        return all.GetValueOrDefault;
    }

    /// <summary>All but the time.</summary>
    private static string Figures(JsonElement result) => string.Join('\n', result.EnumerateObject().Where(p => p.Name != "seconds").Select(p => $"{p.Name} {p.Value.GetRawText()}"));
}
