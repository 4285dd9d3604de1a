using System.CommandLine;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--threads.</summary>
internal static class ThreadsOption
{
    public static Option<int> Create() => new Option<int>("--threads")
    {
        HelpName = "N",
        Description = "Threads to use; 0 is one for each processor.",
    }.AtLeast(0);
}
