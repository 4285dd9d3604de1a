using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using MLNet.PQCompression.Cli.Commands;
using MLNet.PQCompression.Cli.Configuration;
using MLNet.PQCompression.Cli.Terminal;

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
        var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };
        RootCommand root = CreateRootCommand();
        ParseResult parsed = root.Parse(args, parsing);
        if (parsed.CommandResult.Command is CompressCommand { } compress && compress.Configuration(parsed) is { } path)
            try
            {
                IReadOnlyList<string> settings = ConfigurationFile.Arguments(path, compress.ConfigurableOptions, o => compress.IsGiven(parsed, o));
                parsed = root.Parse([compress.Name, .. settings, .. args.Where((a, i) => i != Array.IndexOf(args, compress.Name))], parsing);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                return ErrorReport.Write(new UsageException(e.Message), error, args.Contains("--verbose"), cancellationToken);
            }
        if (parsed.Action is ParseErrorAction)
        {
            IEnumerable<string> known = parsed.CommandResult.Command.Options.Concat(root.Options.Where(o => o.Recursive)).Select(o => o.Name).Concat(parsed.CommandResult.Command.Subcommands.Select(c => c.Name));
            foreach (ParseError problem in parsed.Errors)
            {
                string? unknown = parsed.UnmatchedTokens.FirstOrDefault(t => problem.Message.Contains($"'{t}'", StringComparison.Ordinal));
                error.WriteLine($"error: {problem.Message}{(unknown is null ? "" : Suggestion.For(unknown, known))}");
            }
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
            new InspectCommand(), new AnalyzeCommand(), new InitCommand(), new CompressCommand(), new EvaluateCommand(), new PredictCommand(), new MergeCommand(), new BenchCommand(), new ExportCommand(), new TrainCommand(),
        };
        HelpWithExamples.AddTo(root);
        VersionText.AddTo(root);
        return root;
    }
}
