using System.Diagnostics;
using System.Runtime.CompilerServices;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The memory of a group of images that go through the network together: all values of the plan, and scratch for each thread that works on them.</summary>
internal sealed unsafe class Workspace
{
    private const int Alignment = 64;

    /// <summary>Keeps what threads note in cache lines of their own.</summary>
    private const int KeptStride = 8;

    private readonly Action<int, int> _runPart;
    private readonly CompiledPlan _plan;
    private readonly long[] _ticks;
    private readonly long _sharedScratch, _threadScratch;
    private float[] _values = Allocate(0);
    private readonly float[] _scratch;
    private readonly long[] _kept;
    private readonly nint[] _outputs;
    private long _phases;
    private Step? _step;
    private int _phase;

    /// <summary>Creates a workspace.</summary>
    /// <param name="plan">The plan that it is for.</param>
    /// <param name="threads">Threads that may work at once.</param>
    public Workspace(CompiledPlan plan, int threads)
    {
        _plan = plan;
        _ticks = new long[plan.Steps.Length];
        _sharedScratch = RoundUp(plan.SharedScratch);
        _threadScratch = RoundUp(plan.ThreadScratch);
        _scratch = Allocate(_sharedScratch + _threadScratch * threads);
        _kept = new long[threads * KeptStride];
        _outputs = new nint[plan.Outputs.Length];
        _runPart = (part, worker) => _step!.Run(this, _phase, part, worker);
    }

    /// <summary>The number of images.</summary>
    public int Count { get; private set; }

    /// <summary>Whether kernels are chosen as for one image, whatever the batch.</summary>
    public bool BatchInvariant { get; init; }

    /// <summary>The group's images.</summary>
    public float* Input { get; private set; }

    /// <summary>Where the results of an output go, or null.</summary>
    public float* Output(int index) => (float*)_outputs[index];

    /// <summary>Scratch that all parts of a step share.</summary>
    public float* SharedScratch => Aligned(_scratch);

    /// <summary>Rounds a number of values up to whole cache lines.</summary>
    public static long RoundUp(long values) => (values + 15) & ~15L;

    /// <summary>Makes room for a group.</summary>
    /// <param name="count">The number of images.</param>
    /// <param name="input">The images.</param>
    /// <param name="outputs">For each output where its results for the whole batch go.</param>
    /// <param name="first">The number of the group's first image in the batch.</param>
    public void Prepare(int count, float* input, nint[] outputs, int first)
    {
        Count = count;
        Input = input;
        for (int i = 0; i < _outputs.Length; i++)
            _outputs[i] = outputs[i] == 0 ? 0 : outputs[i] + (nint)(first * _plan.Outputs[i].Length * sizeof(float));
        long needed = checked(count * _plan.ValuesPerImage);
        if (_values.LongLength - Alignment / sizeof(float) < needed)
            _values = Allocate(needed);
    }

    /// <summary>Takes the group through the network.</summary>
    /// <param name="pool">Threads to share the parts of each step, or null for the caller's alone.</param>
    /// <param name="timed">Whether to keep the time of each step.</param>
    public void Run(WorkerPool? pool, bool timed)
    {
        Step[] steps = _plan.Steps;
        for (int i = 0; i < steps.Length; i++)
        {
            long start = timed ? Stopwatch.GetTimestamp() : 0;
            Run(steps[i], pool);
            if (timed)
                _ticks[i] += Stopwatch.GetTimestamp() - start;
        }
    }

    /// <summary>Hands out the times that were kept, divided by a number of threads.</summary>
    public void TakeTicks(long[] ticks, int threads)
    {
        for (int i = 0; i < ticks.Length; i++)
            ticks[i] += _ticks[i] / threads;
        Array.Clear(_ticks);
    }

    /// <summary>The first pixel of a plane of a value.</summary>
    public float* Plane(PlanValue value, int image, int plane) =>
        Start(value) + (long)image * value.ImageStride + (long)plane * value.PlaneStride + value.Origin;

    /// <summary>A pixel of a value.</summary>
    public float* Pixel(PlanValue value, int image, int plane, int y, int x) =>
        Plane(value, image, plane) + (long)y * value.RowStride + (long)x * value.Lanes;

    /// <summary>The whole value of an image, borders included.</summary>
    public Memory<float> Memory(PlanValue value, int image)
    {
        long shift = Aligned(_values) - (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_values, 0);
        return _values.AsMemory(checked((int)(shift + value.Offset * Count + (long)image * value.ImageStride)), value.ImageStride);
    }

    /// <summary>Scratch of one thread.</summary>
    public float* ThreadScratch(int worker) => SharedScratch + _sharedScratch + worker * _threadScratch;

    /// <summary>
    /// Whether a thread noted the same item before in this phase, so that what it made of it is still in its scratch; notes it in any case. Parts that share an
    /// item should follow each other.
    /// </summary>
    public bool Keeps(int worker, int item)
    {
        long note = _phases << 24 | (uint)item;
        bool kept = _kept[worker * KeptStride] == note;
        _kept[worker * KeptStride] = note;
        return kept;
    }

    /// <summary>Sets the border of a plane to zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ClearBorder(PlanValue value, int image, int plane)
    {
        int border = value.Border;
        if (border == 0)
            return;
        float* start = Plane(value, image, plane) - value.Origin;
        int edge = border * value.RowStride, side = border * value.Lanes;
        new Span<float>(start, edge + side).Clear();
        for (int y = 0; y < value.Height - 1; y++)
            new Span<float>(start + edge + (long)(y + 1) * value.RowStride - side, 2 * side).Clear();
        new Span<float>(start + edge + (long)value.Height * value.RowStride - side, edge + side).Clear();
    }

    /// <summary>Runs a step's phases, their parts shared among the pool's threads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Step step, WorkerPool? pool)
    {
        _step = step;
        for (_phase = 0; _phase < step.Phases(this); _phase++)
        {
            _phases++;
            int parts = step.Parts(this, _phase);
            if (pool is not null)
                pool.Run(parts, _runPart);
            else
                for (int part = 0; part < parts; part++)
                    step.Run(this, _phase, part, 0);
        }
        _step = null;
    }

    private static float[] Allocate(long values) =>
        GC.AllocateUninitializedArray<float>(checked((int)(values + Alignment / sizeof(float))), pinned: true);

    private static float* Aligned(float[] pinned)
    {
        nint start = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
        return (float*)((start + Alignment - 1) & ~(nint)(Alignment - 1));
    }

    private float* Start(PlanValue value) => Aligned(_values) + value.Offset * Count;
}
