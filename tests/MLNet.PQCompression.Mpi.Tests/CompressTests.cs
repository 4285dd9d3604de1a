using System.Diagnostics;
using MLNet.PQCompression.Cli.Tests;
using MLNet.PQCompression.Formats.Onnx;

namespace MLNet.PQCompression.Mpi.Tests;

/// <summary>The tool on several processes. Each test needs MPICH and is skipped without.</summary>
public sealed class CompressTests : IDisposable
{
    private static readonly string Teacher = Path.Combine(AppContext.BaseDirectory, "teacher.onnx"), Shapes = Path.Combine(AppContext.BaseDirectory, "unlabelled.zip");
    private readonly TemporaryFolder _files = new();
    private readonly string _model, _images;

    public CompressTests()
    {
        _model = _files.File("tiny.onnx");
        OnnxWriter.Write(TinyModel.Create(), _model);
        _images = TinyModel.WriteImages(_files.File("images"));
    }

    [SkippableFact]
    public void One_two_and_four_ranks_write_the_same_file()
    {
        MpiJob.Need();
        string[] outputs = [.. new[] { 1, 2, 4 }.Select(ranks =>
        {
            string output = _files.File($"{ranks}.onnx");
            using MpiJob job = MpiJob.Start(ranks, "compress", _model, "--images", _images, "--output", output);
            string said = job.Succeeds();
            // The first rank speaks, and the others do not.
            Assert.Equal(2, said.Split($"mpi: {ranks} rank").Length);
            return output;
        })];
        Assert.All(outputs, o => Assert.Equal(File.ReadAllBytes(outputs[0]), File.ReadAllBytes(o)));
    }

    [SkippableFact]
    public void A_killed_rank_is_named_and_others_go_on_to_the_same_file()
    {
        MpiJob.Need();
        Skip.IfNot(OperatingSystem.IsLinux(), "finds the process of a rank in /proc");
        string whole = _files.File("whole.onnx"), output = _files.File("killed.onnx"), state = _files.File("state");
        string[] work = ["compress", Teacher, "--images", Shapes, "--max-images", "64", "--k", "32", "--views", "1", "--held-out", "0", "--layer", "layer2*:skip", "--layer", "layer3*:skip"];
        using (MpiJob job = MpiJob.Start(2, [.. work, "--output", whole]))
            job.Succeeds();
        using (MpiJob job = MpiJob.Start(2, [.. work, "--output", output, "--checkpoint", state]))
        {
            long start = Stopwatch.GetTimestamp();
            while (!Directory.Exists(state) || Directory.GetFiles(state, "*.checkpoint").Length == 0)
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "no checkpoint appears");
                Thread.Sleep(10);
            }
            int id = MpiJob.ProcessOf(1, output);
            using (Process rank = Process.GetProcessById(id))
                rank.Kill();
            (int code, string error) = job.Wait();
            Assert.NotEqual(0, code);
            Assert.Contains($"rank 1 of 2 (process {id} on ", error, StringComparison.Ordinal);
            Assert.Contains("--checkpoint", error, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(output));
        Assert.Single(Directory.GetFiles(state, "*.checkpoint"));
        using (MpiJob job = MpiJob.Start(3, [.. work, "--output", output, "--checkpoint", state]))
            job.Succeeds();
        Assert.Empty(Directory.GetFiles(state));
        Assert.Equal(File.ReadAllBytes(whole), File.ReadAllBytes(output));
    }

    [SkippableFact]
    public void An_error_is_told_once_with_its_rank_and_ends_the_job()
    {
        MpiJob.Need();
        File.WriteAllText(Path.Combine(_images, "class3", "zz.png"), "not an image");
        using MpiJob job = MpiJob.Start(2, "compress", _model, "--images", _images, "--output", _files.File("out.onnx"), "--held-out", "0", "--strict");
        (int code, string error) = job.Wait();
        Assert.NotEqual(0, code);
        Assert.Contains("of 2: ", error, StringComparison.Ordinal);
        Assert.Contains("zz.png", error, StringComparison.Ordinal);
        Assert.DoesNotContain("has died", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_library_it_says_what_to_install()
    {
        using MpiJob job = MpiJob.StartAlone(MpiLibrary.FileVariable, "/nowhere/libmpich.so.12", "compress", _model, "--images", _images, "--output", _files.File("out.onnx"), "--mpi");
        (int code, string error) = job.Wait();
        Assert.Equal(Cli.Tool.Failed, code);
        Assert.Contains("/nowhere/libmpich.so.12", error, StringComparison.Ordinal);
    }

    public void Dispose() => _files.Dispose();
}
