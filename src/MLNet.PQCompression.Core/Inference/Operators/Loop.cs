using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Loops over independent parts, on a pool where there is one.</summary>
internal static class Loop
{
    /// <summary>Runs every part in [0, parts).</summary>
    public static void Over(int parts, WorkerPool? pool, Action<int> body)
    {
        if (pool is not null)
            pool.Run(parts, body);
        else
            for (int i = 0; i < parts; i++)
                body(i);
    }
}
