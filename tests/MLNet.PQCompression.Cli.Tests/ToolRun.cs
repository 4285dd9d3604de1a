using System.Text.Json;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>What a run of the tool gave.</summary>
internal sealed record ToolRun(int Code, string Output, string Error)
{
    /// <summary>Runs the tool in this process.</summary>
    public static async Task<ToolRun> Of(params string[] arguments) => await Of(CancellationToken.None, arguments);

    /// <summary>Runs the tool in this process, to be cancelled as by Ctrl-C.</summary>
    public static async Task<ToolRun> Of(CancellationToken cancellationToken, params string[] arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        var error = new StringWriter { NewLine = "\n" };
        int code = await Tool.RunAsync(arguments, output, error, cancellationToken);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>The result of a run with --json that went well.</summary>
    public JsonElement Json()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}");
        return JsonDocument.Parse(Output).RootElement;
    }

    /// <summary>Asserts an exit code, one line of error with all of the given parts, and nothing on standard output.</summary>
    public void Fails(int code, params string[] parts)
    {
        Assert.Equal(code, Code);
        Assert.Equal("", Output);
        string line = Assert.Single(Error.Split('\n'), l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.All(parts, p => Assert.Contains(p, line, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }
}
