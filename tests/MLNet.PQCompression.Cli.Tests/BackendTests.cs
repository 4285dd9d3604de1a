using System.Text.Json;
using MLNet.PQCompression.TorchSharp;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>What the work runs on, and that it is said. These tests have no libtorch beside them.</summary>
public sealed class BackendTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task The_result_says_what_it_ran_on()
    {
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("managed.onnx"), "--backend", "managed", "--threads", "2", "--json")).Json();
        Assert.Equal("managed, 2 threads", json.GetProperty("backend").GetString());
        ToolRun text = await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("cpu.onnx"), "--device", "cpu", "--threads", "1");
        Assert.Contains("managed, 1 thread)", text.Output, StringComparison.Ordinal); // by itself a CPU means the managed engine
    }

    [Theory]
    [InlineData("--device", "gpu", "cuda:N")]
    [InlineData("--device", "cuda:x", "cuda:N")]
    [InlineData("--backend", "onnx", "managed")]
    public async Task A_choice_that_is_none_is_wrong_usage(string option, string value, string complaint) =>
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("never.onnx"), option, value)).Fails(2, option, value, complaint);

    [Fact]
    public async Task The_managed_engine_has_no_GPU() =>
        (await ToolRun.Of("train", "--arch", "resnet20", "--images", files.Images, "--output", files.File("never.onnx"), "--backend", "managed", "--device", "cuda:1")).Fails(2, "--device cuda:1", "--backend torch");

    [SkippableTheory]
    [InlineData("--backend", "torch")]
    [InlineData("--device", "cuda")]
    public async Task Without_libtorch_the_error_names_the_packages(string option, string value)
    {
        Skip.If(TorchLibrary.TryLoad(out _), "skipped: there is a libtorch");
        (await ToolRun.Of("compress", files.Model, "--images", files.Images, "--output", files.File("never.onnx"), option, value)).Fails(1, "TorchSharp-cpu", "LIBTORCH");
        Assert.False(File.Exists(files.File("never.onnx")));
    }
}
