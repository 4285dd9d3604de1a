using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>Labels and classes are right, refused, or told of: never silently wrong.</summary>
public sealed class LabelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Model => _folder.File("m.onnx");

    private string Images => _folder.File("images");

    public LabelTests() => ColourModel.Write(Model);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("val/{0}/0001.ppm")]
    [InlineData("./{0}/0001.ppm")]
    [InlineData("{0}/0001.ppm")]
    [InlineData("C:\\photos\\{0}\\0001.ppm")]
    public async Task Files_of_one_name_are_joined_by_their_folders(string path)
    {
        Write(c => $"{(char)('a' + c)}_colour/0001.ppm");
        await Right(ColourModel.Classes, "--labels", List(c => string.Format(null, path, $"{(char)('a' + c)}_colour"), c => $"{c}"));
    }

    [Fact]
    public async Task A_bare_name_that_several_files_have_is_refused()
    {
        Write(c => $"{(char)('a' + c)}_colour/0001.ppm");
        (await Evaluate("--labels", List(_ => "0001.ppm", _ => "3"))).Fails(Tool.Failed, "0001.ppm", "a_colour/0001.ppm", "b_colour/0001.ppm");
        (await Evaluate("--labels", List(_ => "0001.ppm", c => $"{c}"))).Fails(Tool.Failed, "0001.ppm", "'0'", "'1'");
    }

    [Fact]
    public async Task Names_without_their_folders_are_enough_where_there_is_one_of_each()
    {
        Write(c => $"deep/{c % 3}/x{c}.ppm");
        await Right(ColourModel.Classes, "--labels", List(c => $"elsewhere/x{c}.ppm", c => $"{c}"));
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("{0}.0")]
    [InlineData("{0}e0")]
    [InlineData("\"{0}\"")]
    public async Task Indices_may_be_written_as_floats(string label)
    {
        Write(c => $"{c:00}.ppm");
        await Right(ColourModel.Classes, "--labels", List(c => $"{c:00}.ppm", c => string.Format(null, label, c)));
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("nan")]
    [InlineData("-1")]
    [InlineData("")]
    public async Task A_missing_label_is_counted_and_told(string label)
    {
        Write(c => $"{c:00}.ppm");
        ToolRun run = await Evaluate("--labels", List(c => $"{c:00}.ppm", c => c < 3 ? label : $"{c}.0"), "--json");
        Assert.Equal((9, 9), (run.Json().GetProperty("labelled").GetInt32(), run.Json().GetProperty("top1").GetInt32()));
        Assert.Contains("3 of 12 images have no label", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-2")]
    [InlineData("1.5")]
    [InlineData("inf")]
    [InlineData("red")]
    [InlineData("1e30")]
    public async Task A_label_among_indices_that_is_none_is_refused(string label)
    {
        Write(c => $"{c:00}.ppm");
        (await Evaluate("--labels", List(c => $"{c:00}.ppm", c => c == 4 ? label : $"{c}"))).Fails(Tool.Failed, "labels.csv", "row 6", $"'{label}'");
    }

    [Fact]
    public async Task Folders_named_by_numbers_are_indices()
    {
        Write(c => $"{c}/a.ppm");
        await Right(ColourModel.Classes);
        Directory.Delete(Images, recursive: true);
        Write(c => $"{c:000}/a.ppm");
        await Right(ColourModel.Classes);
        ColourModel.WriteImage(Path.Combine(Images, "12", "a.ppm"), 0);
        (await Evaluate()).Fails(Tool.Failed, "12/a.ppm", "12 classes (0 to 11)");
    }

    [Fact]
    public async Task A_class_whose_images_cannot_be_read_keeps_its_number()
    {
        Write(c => $"{(char)('a' + c)}_colour/0001.ppm");
        File.Move(Path.Combine(Images, "b_colour", "0001.ppm"), Path.Combine(Images, "b_colour", "0001.tif"));
        File.Delete(Path.Combine(Images, "c_colour", "0001.ppm"));
        File.WriteAllText(Path.Combine(Images, "d_colour", "0001.ppm"), "no image");
        ToolRun run = await Evaluate("--json");
        JsonElement json = run.Json();
        Assert.Equal((9, 9), (json.GetProperty("images").GetInt32(), json.GetProperty("top1").GetInt32()));
        Assert.Equal(["b_colour/0001.tif", "d_colour/0001.ppm"], json.GetProperty("skipped").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.Contains("b_colour, c_colour", run.Error, StringComparison.Ordinal);
        Assert.Contains("left out: 'b_colour/0001.tif'", run.Error, StringComparison.Ordinal);
        (await Evaluate("--strict")).Fails(Tool.Failed, "b_colour/0001.tif");
    }

    [Fact]
    public async Task Fewer_or_more_class_folders_than_outputs_are_refused_without_names()
    {
        Write(c => c is 3 or 7 ? $"{(char)('a' + c)}_colour/0001.ppm" : null);
        (await Evaluate()).Fails(Tool.Failed, "2 classes", "d_colour, h_colour", "12", "--classes");
        string names = _folder.File("names.txt");
        await File.WriteAllLinesAsync(names, Enumerable.Range(0, 12).Select(c => $"{(char)('a' + c)}_colour"));
        await Right(2, "--classes", names);
        Write(c => $"{(char)('a' + c)}_colour/0001.ppm");
        ColourModel.WriteImage(Path.Combine(Images, "z_colour", "0001.ppm"), 0);
        (await Evaluate()).Fails(Tool.Failed, "13 classes", "12");
        (await Evaluate("--classes", names)).Fails(Tool.Failed, "z_colour");
    }

    [Fact]
    public async Task What_the_order_of_folders_is_taken_to_mean_is_told()
    {
        Write(c => $"{(char)('a' + c)}_colour/0001.ppm");
        ToolRun run = await Right(ColourModel.Classes);
        Assert.Contains("The model names no classes: its outputs were taken to be a_colour, b_colour", run.Error, StringComparison.Ordinal);
        string[] reversed = [.. Enumerable.Range(0, 12).Select(c => $"{(char)('l' - c)}_colour")];
        ColourModel.Write(Model, reversed);
        Directory.Delete(Images, recursive: true);
        Write(c => $"{reversed[c]}/0001.ppm");
        Assert.DoesNotContain("taken to be", (await Right(ColourModel.Classes)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Learning_from_labels_and_training_need_every_label_and_the_models_classes()
    {
        Write(c => $"{c:00}.ppm");
        string output = _folder.File("out.onnx"), list = _folder.File("list.csv");
        await File.WriteAllLinesAsync(list, Enumerable.Range(0, 12).Select(c => $"images/{c:00}.ppm,{(c == 5 ? "NaN" : $"{c}.0")}"));
        (await ToolRun.Of(["compress", Model, "--images", list, "--output", output, "--epochs", "1", "--learn-from", "labels", .. ColourModel.Plain])).Fails(Tool.Failed, "05.ppm", "no label");
        (await ToolRun.Of("train", "--arch", "resnet20", "--images", list, "--output", output, "--epochs", "1")).Fails(Tool.Failed, "05.ppm", "no label");
        await File.WriteAllLinesAsync(list, Enumerable.Range(0, 12).Select(c => $"images/{c:00}.ppm,{c + 1}"));
        (await ToolRun.Of(["compress", Model, "--images", list, "--output", output, "--epochs", "1", "--learn-from", "labels", .. ColourModel.Plain])).Fails(Tool.Failed, "11.ppm", "12 classes");
        Assert.False(File.Exists(output));
    }

    private void Write(Func<int, string?> name)
    {
        for (int c = 0; c < ColourModel.Classes; c++)
            if (name(c) is { } path)
                ColourModel.WriteImage(Path.Combine(Images, path), c);
    }

    private string List(Func<int, string> file, Func<int, string> label)
    {
        string path = _folder.File("labels.csv");
        File.WriteAllLines(path, Enumerable.Range(0, ColourModel.Classes).Select(c => $"{file(c)},{label(c)}").Prepend("file,label"));
        return path;
    }

    private Task<ToolRun> Evaluate(params string[] more) => ToolRun.Of(["evaluate", Model, "--images", Images, .. ColourModel.Plain, .. more]);

    private async Task<ToolRun> Right(int count, params string[] more)
    {
        ToolRun run = await Evaluate([.. more, "--json"]);
        Assert.Equal((count, count), (run.Json().GetProperty("labelled").GetInt32(), run.Json().GetProperty("top1").GetInt32()));
        return run;
    }
}
