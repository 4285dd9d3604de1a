using System.CommandLine;

namespace MLNet.PQCompression.Cli;

/// <summary>The command line tool.</summary>
public static class Tool
{
    /// <summary>Parses the arguments and runs the command.</summary>
    /// <returns>0 when all went well, 1 when the command failed, 2 when the arguments are wrong.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand("Compresses trained ConvNets by product quantization, and inspects, evaluates, runs and exports them.");
        ParseResult parsed = root.Parse(args);
        int code = await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, cancellationToken).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? 2 : code;
    }
}
