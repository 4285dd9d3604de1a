using System.Runtime.Versioning;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>Files as people have them: odd names, links, outputs that cannot be written, models with nothing to do.</summary>
public sealed class FileTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task An_argument_that_begins_with_at_is_a_file()
    {
        string folder = Directory.CreateDirectory(files.File("at")).FullName;
        string image = System.IO.Path.Combine(folder, "@photo.ppm"), before = Directory.GetCurrentDirectory();
        System.IO.File.Copy(files.OneImage, image);
        System.IO.File.Copy(files.OneImage, System.IO.Path.Combine(folder, "second.ppm"));
        try
        {
            Directory.SetCurrentDirectory(folder);
            Assert.Equal("@photo.ppm", (await ToolRun.Of("predict", files.Model, "@photo.ppm", "--json")).Json().GetProperty("images")[0].GetProperty("image").GetString());
            (await ToolRun.Of("predict", files.Model, "@absent.ppm")).Fails(Tool.Failed, "@absent.ppm");
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }
    }

    [Fact]
    public async Task Links_that_lead_back_are_entered_once()
    {
        string root = files.File("links");
        TinyModel.WriteImages(root, perClass: 1);
        foreach (string link in new[] { "self", "self2", "class1/up" })
            Directory.CreateSymbolicLink(System.IO.Path.Combine(root, link), root);
        Directory.CreateSymbolicLink(System.IO.Path.Combine(root, "a"), System.IO.Path.Combine(root, "class2"));
        Assert.Equal(
            ["class0/00.ppm", "class1/00.ppm", "class2/00.ppm", "class3/00.ppm"],
            (await ToolRun.Of("predict", files.Model, root, "--json")).Json().GetProperty("images").EnumerateArray().Select(i => i.GetProperty("image").GetString()));
    }

    [Theory]
    [InlineData("out.txt", Tool.WrongUsage, ".onnx")]
    [InlineData("absent/out.onnx", Tool.Failed, "absent")]
    [InlineData("there.onnx", Tool.Failed, "is a folder")]
    public async Task An_output_that_cannot_be_written_is_found_before_any_image_is_read(string output, int code, string word)
    {
        Directory.CreateDirectory(files.File("there.onnx"));
        (await ToolRun.Of("compress", files.Model, "--images", files.File("no-images-here"), "--output", files.File(output))).Fails(code, word);
    }

    [Fact]
    public async Task A_checkpoint_folder_that_cannot_be_made_is_found_before_any_image_is_read()
    {
        string folder = System.IO.Path.Combine(files.OneImage, "checkpoint"); // an image is no folder
        (await ToolRun.Of("compress", files.Model, "--images", files.File("no-images-here"), "--output", files.File("checked.onnx"), "--checkpoint", folder)).Fails(Tool.Failed, "checkpoint", "cannot be made");
        (await ToolRun.Of("train", "--arch", "resnet20", "--images", files.File("no-images-here"), "--output", files.File("checked.onnx"), "--checkpoint", folder)).Fails(Tool.Failed, "checkpoint", "cannot be made");
    }

    [SkippableFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_folder_without_permission_is_found_before_any_image_is_read()
    {
        Skip.If(OperatingSystem.IsWindows() || Environment.UserName == "root", "the permissions of folders hold for no administrator");
        string folder = Directory.CreateDirectory(files.File("locked")).FullName;
        System.IO.File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        (await ToolRun.Of("compress", files.Model, "--images", files.File("no-images-here"), "--output", System.IO.Path.Combine(folder, "out.onnx"))).Fails(Tool.Failed, "cannot be written");
    }

    [Fact]
    public async Task Compressing_a_compressed_model_or_one_with_nothing_to_compress_is_refused()
    {
        string output = files.File("again.onnx");
        (await ToolRun.Of("compress", await files.Compressed(), "--images", files.Images, "--output", output)).Fails(Tool.Failed, "compressed already", "export --dense");
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--layer", "*:skip")).Fails(Tool.Failed, "nothing to compress", "left alone as asked");
        Assert.False(System.IO.File.Exists(output));
    }

    [Fact]
    public async Task Reading_a_folder_can_be_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.ThrowsAny<OperationCanceledException>(() => ImageSource.Open(files.Images, cancelled.Token));
    }
}
