namespace MLNet.PQCompression.Cli.Tests;

public sealed class ToolTests
{
    [Fact]
    public async Task An_unknown_command_is_a_usage_error()
    {
        var error = new StringWriter();
        Assert.Equal(2, await Tool.RunAsync(["no-such-command"], new StringWriter(), error));
        Assert.Contains("no-such-command", error.ToString(), StringComparison.Ordinal);
    }
}
