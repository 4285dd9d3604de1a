using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Runs a plan over a batch, and holds the memory for it. Kept for later calls.</summary>
/// <remarks>
/// The batch is cut into groups of as many images as have their values in a core's own cache, one image at least. While there are as many groups left as
/// threads, each thread takes a group through the whole network by itself, and no thread waits for another between layers; the last few groups, or a single
/// image, are computed by all threads together. How the batch is cut depends on sizes only.
/// </remarks>
internal sealed unsafe class BatchRun
{
    private readonly CompiledPlan _plan;
    private readonly WorkerPool? _pool;
    private readonly bool _batchInvariant, _oneEach;
    private readonly int _groupSize;
    private readonly Workspace?[] _workspaces;
    private readonly Action<int, int> _runAlone;
    private readonly long _imageLength;
    private float* _input;
    private int _count;
    private bool _timed;

    /// <summary>Prepares for calls; memory is allocated when it is first needed.</summary>
    /// <param name="plan">What to run.</param>
    /// <param name="pool">The threads, or null for the caller's alone.</param>
    /// <param name="maxGroup">The most images in a group.</param>
    /// <param name="batchInvariant">Whether kernels are chosen as for one image, whatever the batch.</param>
    /// <param name="maxMemory">Bytes for all workspaces together.</param>
    public BatchRun(CompiledPlan plan, WorkerPool? pool, int maxGroup, bool batchInvariant, long maxMemory)
    {
        (_plan, _pool, _batchInvariant) = (plan, pool, batchInvariant);
        _workspaces = new Workspace?[pool?.Threads ?? 1];
        var bound = new MemoryBound(maxMemory, _workspaces.Length);
        _groupSize = Math.Min(plan.GroupSize, maxGroup);
        while (_groupSize > 1 && plan.WorkspaceBytes(_groupSize, _workspaces.Length) > maxMemory)
            _groupSize--;
        _oneEach = bound.AllowsOneEach(plan, _groupSize);
        _runAlone = (group, worker) => Run(Workspace(worker), group, null);
        (_imageLength, Outputs) = (plan.InputShape.Count, new nint[plan.Outputs.Length]);
    }

    /// <summary>For each output where its values go, [count, values of an image], or 0 where they are not wanted; set before a call.</summary>
    public nint[] Outputs { get; }

    /// <summary>Computes a batch.</summary>
    /// <param name="input">[count, C, H, W] values.</param>
    /// <param name="count">Images.</param>
    /// <param name="ticks">Where the time of each step is added, or null. Where threads work by themselves it is their mean.</param>
    public void Run(float* input, int count, long[]? ticks)
    {
        _input = input;
        (_count, _timed) = (count, ticks is not null);
        int groups = (count + _groupSize - 1) / _groupSize, threads = _workspaces.Length, alone = threads == 1 || !_oneEach ? 0 : groups / threads * threads;
        if (alone > 0)
            _pool!.Run(alone, _runAlone);
        AddTicks(ticks, threads);
        for (int group = alone; group < groups; group++)
            Run(Workspace(0), group, _pool);
        AddTicks(ticks, 1);
    }

    /// <summary>A thread's memory; the first thread's has scratch for all, because they share it when they work together.</summary>
    private Workspace Workspace(int worker) => _workspaces[worker] ??= new(_plan, worker == 0 ? _workspaces.Length : 1) { BatchInvariant = _batchInvariant };

    private void Run(Workspace workspace, int group, WorkerPool? pool)
    {
        int first = group * _groupSize;
        workspace.Prepare(Math.Min(_groupSize, _count - first), _input + first * _imageLength, Outputs, first);
        workspace.Run(pool, _timed);
    }

    private void AddTicks(long[]? ticks, int threads)
    {
        if (ticks is null)
            return;
        foreach (Workspace? workspace in _workspaces)
            workspace?.TakeTicks(ticks, threads);
    }
}
