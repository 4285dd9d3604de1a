using System.CommandLine;
using System.CommandLine.Invocation;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli;

/// <summary>--version: the version and the commit it was built from.</summary>
internal sealed class VersionText : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root) => root.Options.OfType<VersionOption>().Single().Action = new VersionText();

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine($"mlnet-pq {BuildVersion.Number}{(BuildVersion.Commit is { } commit ? $", commit {commit}" : "")}");
        return Tool.Succeeded;
    }
}
