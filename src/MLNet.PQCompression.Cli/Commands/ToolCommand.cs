using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;

namespace MLNet.PQCompression.Cli.Commands;

/// <summary>What every command has: --json, --verbose, examples, cancellation, and errors turned into one line and an exit code.</summary>
internal abstract class ToolCommand : Command
{
    private readonly Option<bool> _json = new("--json") { Description = "Write the result as JSON to standard output." };
    private readonly Option<bool> _verbose = new("--verbose") { Description = "Show the stack trace of an error." };

    protected ToolCommand(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction((arguments, cancellationToken) => Task.Run(() => Run(arguments, cancellationToken), CancellationToken.None));
    }

    /// <summary>Command lines that show the command at work.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Does the command's work. Exceptions become error messages.</summary>
    protected abstract void Execute(ParseResult arguments, ToolConsole console);

    /// <summary>Adds the command's own arguments and options, then those that every command has.</summary>
    protected void AddSymbols(params ReadOnlySpan<Symbol> own)
    {
        foreach (Symbol symbol in (ReadOnlySpan<Symbol>)[.. own, _json, _verbose])
            if (symbol is Argument argument)
                Arguments.Add(argument);
            else
                Options.Add((Option)symbol);
    }

    private int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        InvocationConfiguration configuration = arguments.InvocationConfiguration;
        var console = new ToolConsole(configuration.Output, configuration.Error, arguments.GetValue(_json), cancellationToken);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            Execute(arguments, console);
            return Tool.Succeeded;
        }
        catch (Exception e)
        {
            int code = ErrorReport.Write(e, configuration.Error, arguments.GetValue(_verbose), cancellationToken);
            (e as MpiRankException)?.TellOthers();
            return code;
        }
    }
}
