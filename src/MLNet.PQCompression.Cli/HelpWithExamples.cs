using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using MLNet.PQCompression.Cli.Commands;
using MLNet.PQCompression.Cli.Terminal;

namespace MLNet.PQCompression.Cli;

/// <summary>The usual help, followed by the command's examples.</summary>
internal sealed partial class HelpWithExamples(SynchronousCommandLineAction usual) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        var usual = (HelpAction)help.Action!;
        usual.MaxWidth = ToolConsole.Width;
        help.Action = new HelpWithExamples(usual);
    }

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        var text = new StringWriter { NewLine = output.NewLine };
        parseResult.InvocationConfiguration.Output = text;
        int code = usual.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        // Values of an enumeration are typed in lower case, so that is how defaults are shown.
        output.Write(Default().Replace(text.ToString(), m => m.Value.ToLowerInvariant()));
        if (parseResult.CommandResult.Command is RootCommand)
            output.WriteLine("Exit codes:\n  0  the command did its work\n  1  it failed or was cancelled\n  2  the arguments are wrong");
        if (parseResult.CommandResult.Command is ToolCommand command)
        {
            output.WriteLine(command.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (string example in command.Examples)
                output.WriteLine($"  {example}");
        }
        return code;
    }

    [GeneratedRegex(@"\[default:\s+[A-Z]\w*\]")]
    private static partial Regex Default();
}
