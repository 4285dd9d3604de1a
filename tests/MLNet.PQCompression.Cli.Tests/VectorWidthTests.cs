using System.Diagnostics;
using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>The tool in processes of its own, in which the runtime's switches take instructions away.</summary>
public sealed class VectorWidthTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    [InlineData("DOTNET_EnableHWIntrinsic", 128)]
    public async Task The_same_file_gives_the_same_probabilities_with_narrower_vectors(string disabled, int widest)
    {
        string model = await files.Compressed();
        JsonElement bench = await Run(disabled, "bench", model, "--calls", "1", "--json");
        Assert.InRange(bench.GetProperty("vectorBits").GetInt32(), 128, widest);
        double[] expected = Probabilities((await ToolRun.Of("predict", model, files.Images, "--json")).Json());
        double[] actual = Probabilities(await Run(disabled, "predict", model, files.Images, "--json"));
        Assert.Equal(files.ImageCount * TinyModel.Classes, expected.Length);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4);
    }

    private static double[] Probabilities(JsonElement json) =>
    [
        .. json.GetProperty("images").EnumerateArray().SelectMany(image => image.GetProperty("classes").EnumerateArray()
            .OrderBy(c => c.GetProperty("class").GetInt32()).Select(c => c.GetProperty("probability").GetDouble())),
    ];

    private static async Task<JsonElement> Run(string disabled, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[disabled] = "0";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return JsonDocument.Parse(output).RootElement;
    }
}
