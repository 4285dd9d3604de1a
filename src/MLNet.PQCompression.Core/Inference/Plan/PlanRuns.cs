using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A plan with the memory of the calls that no call uses now.</summary>
internal sealed class PlanRuns(CompiledPlan plan, WorkerPool? pool, InferenceOptions options)
{
    private readonly List<BatchRun> _free = [];

    public CompiledPlan Plan { get; } = plan;

    /// <summary>Memory for a call; to be given back.</summary>
    public BatchRun Take()
    {
        lock (_free)
            if (_free.Count > 0)
            {
                BatchRun run = _free[^1];
                _free.RemoveAt(_free.Count - 1);
                return run;
            }
        return new(Plan, pool, options.MaxBatch, options.BatchInvariant, options.MaxMemoryBytes);
    }

    /// <summary>Keeps the memory for later calls.</summary>
    public void Give(BatchRun run)
    {
        lock (_free)
            _free.Add(run);
    }
}
