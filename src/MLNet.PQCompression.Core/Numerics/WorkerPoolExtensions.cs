namespace MLNet.PQCompression.Numerics;

/// <summary>Loops that run on a pool where there is one.</summary>
internal static class WorkerPoolExtensions
{
    /// <summary>Runs every part on the pool's threads, or on the caller's where <paramref name="pool"/> is null.</summary>
    public static void RunParts(this WorkerPool? pool, int parts, Action<int> body)
    {
        if (pool is not null)
            pool.Run(parts, body);
        else
            for (int part = 0; part < parts; part++)
                body(part);
    }
}
