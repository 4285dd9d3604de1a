using System.Runtime.CompilerServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A graph compiled for one image size: steps, weights ready for the kernels, and the place of every value. Immutable.</summary>
internal sealed class CompiledPlan
{
    private static readonly ConditionalWeakTable<ModelGraph, List<Entry>> Plans = [];

    public CompiledPlan(TensorShape inputShape, TensorShape outputShape, Step[] steps)
    {
        (InputShape, OutputShape, Steps) = (inputShape, outputShape, steps);
        ValuesPerImage = BufferLayout.Assign(steps);
        SharedScratch = steps.Max(s => s.SharedScratch);
        ThreadScratch = steps.Max(s => s.ThreadScratch);
    }

    /// <summary>C×H×W.</summary>
    public TensorShape InputShape { get; }

    /// <summary>The output's shape for one image, without the batch.</summary>
    public TensorShape OutputShape { get; }

    public Step[] Steps { get; }

    public long ValuesPerImage { get; }

    public long SharedScratch { get; }

    public long ThreadScratch { get; }

    /// <summary>The plan of a graph, compiled on first use and shared by all sessions for as long as the graph lives.</summary>
    public static CompiledPlan Get(ModelGraph graph, TensorShape inputShape, SimdLevel level, ConvolutionAlgorithm algorithm)
    {
        List<Entry> plans = Plans.GetOrCreateValue(graph);
        lock (plans)
        {
            if (plans.Find(p => p.Plan.InputShape == inputShape && p.Level == level && p.Algorithm == algorithm) is { } known)
                return known.Plan;
            CompiledPlan plan = level switch
            {
                SimdLevel.Vector512 => new PlanBuilder<PixelTile512, Float512>(graph, inputShape, algorithm).Build(),
                SimdLevel.Vector256 => new PlanBuilder<PixelTile256, Float256>(graph, inputShape, algorithm).Build(),
                _ => new PlanBuilder<PixelTile128, Float128>(graph, inputShape, algorithm).Build(),
            };
            plans.Add(new(plan, level, algorithm));
            return plan;
        }
    }

    private sealed record Entry(CompiledPlan Plan, SimdLevel Level, ConvolutionAlgorithm Algorithm);
}
