using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Mpi;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--mpi: the work of several processes.</summary>
internal sealed class RankArguments
{
    private readonly Option<bool> _mpi = new("--mpi") { Description = "Share the work with the other processes of an MPI job: mpiexec -n 4 mlnet-pq compress ... --mpi" };

    /// <summary>The option.</summary>
    public Option Symbol => _mpi;

    /// <summary>Whether it is given.</summary>
    public bool IsGiven(ParseResult arguments) => arguments.GetValue(_mpi);

    /// <summary>Runs work on the ranks of the job, or here alone where --mpi is not given. Only the first rank speaks, but for errors.</summary>
    /// <param name="arguments">What was parsed.</param>
    /// <param name="console">Where the first rank writes.</param>
    /// <param name="work">The work, by the ranks or null.</param>
    /// <exception cref="MpiRankException">The work failed on this rank of several.</exception>
    public void Run(ParseResult arguments, ToolConsole console, Action<ToolConsole, MpiRanks?> work)
    {
        if (!IsGiven(arguments))
        {
            work(console, null);
            return;
        }
        MpiRanks ranks = MpiRanks.Start(console.Note);
        try
        {
            work(ranks.Rank == 0 ? console : console.Silent(), ranks);
            ranks.Complete();
        }
        catch (Exception e)
        {
            throw new MpiRankException(ranks, e);
        }
        ranks.Dispose();
    }

    /// <summary>What the ranks have sent: every rank calls, and the first gets the sum.</summary>
    public static string Describe(MpiRanks ranks, TimeSpan time)
    {
        long[] sent = Array.ConvertAll(ranks.Exchange(ranks.BytesSent.ToString(CultureInfo.InvariantCulture)), text => long.Parse(text, CultureInfo.InvariantCulture));
        return FormattableString.Invariant($"mpi: {ranks.Size} rank{(ranks.Size == 1 ? "" : "s")}, {sent.Sum():N0} bytes sent, {sent.Max():N0} by one rank at most, in {time.TotalSeconds:0.0} s; rank 0 took {Environment.CpuUsage.TotalTime.TotalSeconds:0.0} s of processor time");
    }

    /// <summary>The images that some rank could not use: every rank calls, and all get them.</summary>
    public static IReadOnlyList<SkippedImage> Skipped(MpiRanks? ranks, IReadOnlyList<SkippedImage> own) => ranks is null
        ? own
        : [.. ranks.Exchange(JsonSerializer.Serialize(own)).SelectMany(text => JsonSerializer.Deserialize<SkippedImage[]>(text)!).DistinctBy(s => s.Name, StringComparer.Ordinal)];

    /// <summary>Threads of this rank: what is asked for, or its share of the machine's processors.</summary>
    public static int Threads(int asked, MpiRanks? ranks) => asked > 0 || ranks is null ? asked : Math.Max(1, Environment.ProcessorCount / ranks.LocalSize);
}
