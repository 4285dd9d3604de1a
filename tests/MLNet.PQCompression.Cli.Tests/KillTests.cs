using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using MLNet.PQCompression.Formats.Onnx;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>What is left when a compression is ended from outside: processes of their own, killed, or without room on the disk.</summary>
public sealed class KillTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    private const int Kills = 20;

    private static readonly string Dll = typeof(Tool).Assembly.Location;

    /// <summary>As by kill -9 at 20 moments of the whole run, layers, fine-tuning of layers and epochs.</summary>
    [Fact]
    [Trait("Category", "Slow")]
    public void A_compression_killed_at_any_moment_goes_on_to_the_same_bytes()
    {
        string model = files.File("large.onnx"), whole = files.File("whole.onnx");
        OnnxWriter.Write(TinyModel.Create(seed: 3), model);
        long start = Stopwatch.GetTimestamp();
        using (Process process = Compress(model, whole, files.File("whole-state")))
            Assert.Equal(0, Wait(process));
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        byte[] expected = File.ReadAllBytes(whole);
        var random = new Random(4);
        int killed = 0, resumed = 0;
        for (int i = 0; i < Kills; i++)
        {
            string output = files.File(string.Create(CultureInfo.InvariantCulture, $"killed{i}.onnx")), state = files.File(string.Create(CultureInfo.InvariantCulture, $"state{i}"));
            using (Process process = Compress(model, output, state))
            {
                if (!process.WaitForExit(time * ((i + random.NextDouble()) / Kills)))
                {
                    process.Kill();
                    killed++;
                }
                process.WaitForExit();
            }
            if (Directory.Exists(state) && Directory.GetFiles(state, "*.checkpoint").Length > 0)
                resumed++;
            if (File.Exists(output))
                Assert.Equal(expected, File.ReadAllBytes(output)); // It is whole, or it is not there.
            using (Process process = Compress(model, output, state))
                Assert.Equal(0, Wait(process));
            Assert.True(expected.AsSpan().SequenceEqual(File.ReadAllBytes(output)), $"kill {i} of {Kills} led to other bytes");
        }
        Assert.True(killed >= Kills / 2, $"only {killed} of {Kills} were killed before they ended");
        Assert.True(resumed >= 1, $"only {resumed} of {killed} left a checkpoint to go on from");
    }

    /// <summary>A file may not grow beyond 2 KB, as on a disk without room; the result is larger.</summary>
    [SkippableFact]
    [Trait("Category", "Slow")]
    public void Without_room_for_the_result_the_old_file_stays()
    {
        Skip.IfNot(File.Exists("/bin/bash"), "needs a shell that limits the size of files");
        string output = files.File("room.onnx");
        File.WriteAllText(output, "the old one");
        using Process process = Start("/bin/bash", "-c", $"trap '' XFSZ; ulimit -f 2; DOTNET_EnableWriteXorExecute=0 exec dotnet '{Dll}' compress '{files.Model}' --images '{files.Images}' --output '{output}' --overwrite");
        string error = process.StandardError.ReadToEnd();
        Assert.NotEqual(0, Wait(process));
        Assert.Equal("the old one", File.ReadAllText(output));
        Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(output)!), f => f.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.Contains("error: ", error, StringComparison.Ordinal);
    }

    [SkippableFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_folder_that_cannot_be_written_to_is_found_before_the_work()
    {
        Skip.If(OperatingSystem.IsWindows(), "folders of Windows have no such mode");
        string folder = Directory.CreateDirectory(files.File("read-only")).FullName, output = Path.Combine(folder, "out.onnx");
        File.WriteAllText(output, "the old one");
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Skip.If(CanWrite(folder), "this user may write to any folder");
            ToolRun run = await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", output, "--overwrite");
            run.Fails(Tool.Failed, "read-only");
            Assert.DoesNotContain("quantizing", run.Error, StringComparison.Ordinal);
            Assert.Equal("the old one", File.ReadAllText(output));
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static bool CanWrite(string folder)
    {
        try
        {
            File.WriteAllText(Path.Combine(folder, "probe"), "");
            File.Delete(Path.Combine(folder, "probe"));
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Process Compress(string model, string output, string state)
    {
        Process process = Start("dotnet", Dll, "compress", model, "--images", files.Images, "--output", output, "--overwrite", "--layer-steps", "20", "--epochs", "20",
            "--checkpoint", state, "--threads", "1", "--seed", "2");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;

    private static int Wait(Process process)
    {
        process.WaitForExit();
        return process.ExitCode;
    }
}
