namespace MLNet.PQCompression.Numerics;

/// <summary>Calls the collector where large arrays come and go. Few objects live, so a collection takes next to no time; by itself the collector lets the process grow by gigabytes.</summary>
internal static class Garbage
{
    /// <summary>What may be left to the collector before it is called: 256 MiB.</summary>
    private const long Limit = 256 << 20;

    private static long _collected = GC.GetTotalAllocatedBytes();

    /// <summary>Collects where more has been allocated since the last time.</summary>
    public static void Collect()
    {
        if (GC.GetTotalAllocatedBytes() - Interlocked.Read(ref _collected) < Limit)
            return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
        Interlocked.Exchange(ref _collected, GC.GetTotalAllocatedBytes());
    }
}
