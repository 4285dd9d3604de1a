using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using MLNet.PQCompression.Cli.Commands;

namespace MLNet.PQCompression.Cli;

/// <summary>The command line tool.</summary>
public static class Tool
{
    /// <summary>All went well.</summary>
    public const int Succeeded = 0;

    /// <summary>The command failed or was cancelled.</summary>
    public const int Failed = 1;

    /// <summary>The arguments are wrong.</summary>
    public const int WrongUsage = 2;

    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(30);

    /// <summary>Parses the arguments and runs the command they name.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where progress, warnings and errors go.</param>
    /// <param name="cancellationToken">Cancels the command, as Ctrl-C does.</param>
    /// <returns><see cref="Succeeded"/>, <see cref="Failed"/> or <see cref="WrongUsage"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        // A file's name may begin with @.
        ParseResult parsed = CreateRootCommand().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            foreach (ParseError problem in parsed.Errors)
                error.WriteLine($"error: {problem.Message}");
            error.WriteLine($"See: mlnet-pq {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help");
            return WrongUsage;
        }
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeToEnd,
        };
        return await parsed.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The commands and their options.</summary>
    internal static RootCommand CreateRootCommand()
    {
        var root = new RootCommand("Compresses trained ConvNets by product quantization, and inspects, evaluates, runs, exports and trains them.")
        {
            new InspectCommand(), new AnalyzeCommand(), new CompressCommand(), new EvaluateCommand(), new PredictCommand(), new BenchCommand(), new ExportCommand(), new TrainCommand(),
        };
        HelpWithExamples.AddTo(root);
        return root;
    }
}
