using MLNet.PQCompression.Mpi;

namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Work that failed on one of several ranks. The others are told once the user has been: they end, and the launcher ends the job.</summary>
internal sealed class MpiRankException(MpiRanks ranks, Exception cause) : Exception($"rank {ranks.Rank} of {ranks.Size}", cause)
{
    /// <summary>Tells the other ranks.</summary>
    public void TellOthers() => ranks.Fail();
}
