using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A graph compiled for one image size: steps, weights ready for the kernels, and the place of every value. Immutable.</summary>
internal sealed class CompiledPlan
{
    /// <summary>Values that stay in a core's second-level cache: 1 MiB.</summary>
    private const int CachedValues = 1 << 18;

    private static readonly ConditionalWeakTable<ModelGraph, List<Entry>> Plans = [];

    /// <summary>Gives the values of some steps their places.</summary>
    /// <param name="inputShape">C×H×W.</param>
    /// <param name="outputs">The outputs.</param>
    /// <param name="steps">The steps.</param>
    public CompiledPlan(TensorShape inputShape, PlanOutput[] outputs, Step[] steps)
    {
        (InputShape, Outputs, Steps) = (inputShape, outputs, steps);
        ValuesPerImage = BufferLayout.Assign(steps);
        foreach (Step step in steps)
        {
            SharedScratch = Math.Max(SharedScratch, step.SharedScratch);
            ThreadScratch = Math.Max(ThreadScratch, step.ThreadScratch);
        }
    }

    /// <summary>C×H×W.</summary>
    public TensorShape InputShape { get; }

    /// <summary>The outputs in the order of the graph.</summary>
    public PlanOutput[] Outputs { get; }

    public Step[] Steps { get; }

    public long ValuesPerImage { get; }

    /// <summary>Images that are computed together: as many as have their values in a core's own cache, one at least.</summary>
    public int GroupSize => (int)Math.Clamp(CachedValues / Math.Max(1, ValuesPerImage), 1, 32);

    public long SharedScratch { get; }

    public long ThreadScratch { get; }

    /// <summary>Bytes of activations and scratch for some images that go through together, computed by some threads.</summary>
    public long WorkspaceBytes(int images, int threads) => (images * ValuesPerImage + SharedScratch + threads * ThreadScratch) * sizeof(float);

    /// <summary>The plan of a graph, compiled on first use and shared by all sessions for as long as the graph lives.</summary>
    /// <exception cref="InvalidModelException">The graph does not fit the image size, or one image takes more memory than it may.</exception>
    public static CompiledPlan Get(ModelGraph graph, PlanKey key, MemoryBound bound)
    {
        List<Entry> plans = Plans.GetOrCreateValue(graph);
        lock (plans)
        {
            foreach (Entry entry in plans)
                if (entry.Key == key)
                {
                    bound.Check(entry.Plan);
                    return entry.Plan;
                }
            CompiledPlan plan = Compile(graph, key, bound);
            if (key.Tuned)
                plan.Tune();
            plans.Add(new(key, plan));
            return plan;
        }
    }

    /// <summary>A plan that is not shared.</summary>
    /// <exception cref="InvalidModelException">The graph does not fit the image size, or one image takes more memory than it may.</exception>
    public static CompiledPlan Compile(ModelGraph graph, PlanKey key, MemoryBound bound)
    {
        FiniteWeights.Require(graph);
        CompiledPlan plan = key.Level switch
        {
            SimdLevel.Vector512 => new PlanBuilder<PixelTile512, Float512>(graph, key, bound).Build(),
            SimdLevel.Vector256 => new PlanBuilder<PixelTile256, Float256>(graph, key, bound).Build(),
            _ => new PlanBuilder<PixelTile128, Float128>(graph, key, bound).Build(),
        };
        bound.Check(plan);
        return plan;
    }

    /// <summary>Times the ways to compute each layer on one thread, and keeps the fastest.</summary>
    private unsafe void Tune()
    {
        var workspace = new Workspace(this, 1);
        float[] input = GC.AllocateArray<float>(checked((int)InputShape.Count * GroupSize), pinned: true);
        float[][] outputs = [.. Outputs.Select(o => GC.AllocateArray<float>(checked((int)o.Length * GroupSize), pinned: true))];
        nint[] places = [.. outputs.Select(o => Marshal.UnsafeAddrOfPinnedArrayElement(o, 0))];
        fixed (float* x = input)
            for (int count = 1; count <= GroupSize; count++)
            {
                workspace.Prepare(count, x, places, 0);
                foreach (Step step in Steps)
                    if (step is ChoiceStep choice)
                        choice.Tune(workspace);
                    else
                        workspace.Run(step, null);
            }
    }

    private sealed record Entry(PlanKey Key, CompiledPlan Plan);
}

/// <summary>An output of a plan.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="FullShape">Its shape for one image, with the dimension of the batch.</param>
internal sealed record PlanOutput(string Name, TensorShape FullShape)
{
    /// <summary>The shape for one image; a batch of 1 in front is left out.</summary>
    public TensorShape Shape { get; } = FullShape.Rank > 0 && FullShape[0] == 1 ? FullShape.WithoutFirst() : FullShape;

    /// <summary>Values for an image.</summary>
    public long Length { get; } = FullShape.Count;
}

/// <summary>What a compiled plan depends on besides the graph.</summary>
/// <param name="InputShape">C×H×W.</param>
/// <param name="Level">The vector width.</param>
/// <param name="Algorithm">How convolutions are computed.</param>
/// <param name="Tuned">Whether the ways to compute a layer are timed.</param>
/// <param name="Outputs">The names of the outputs that are wanted, one a line, or "" for all.</param>
internal sealed record PlanKey(TensorShape InputShape, SimdLevel Level, ConvolutionAlgorithm Algorithm, bool Tuned, string Outputs = "");
