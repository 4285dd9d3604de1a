using System.Collections.Immutable;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Budget;

/// <summary>What was measured of a layer: the error of each way to store its weight, and what errors there cost the network.</summary>
/// <param name="Plan">The layer, as the block regime alone would have it.</param>
/// <param name="Reference">The choice with which the network's divergence was measured, all other layers as they are; null for a layer that is left alone.</param>
/// <param name="Choices">All choices, a dense weight among them where the layer may stay so, by falling bytes; a single one where the layer is left alone or fixed.</param>
public sealed record LayerSensitivity(LayerPlan Plan, LayerChoice? Reference, ImmutableArray<LayerChoice> Choices)
{
    /// <summary>The divergence for each unit of relative error: large where the network's answer hangs on this layer.</summary>
    public double Sensitivity => Reference is { Error: > 0 } r ? r.Divergence / r.Error : 0;
}

/// <summary>A whole plan on the curve of best plans.</summary>
/// <param name="FileBytes">Bytes of the file.</param>
/// <param name="Divergence">The sum of what each layer alone costs: KL in nats or 1 − cosine.</param>
/// <param name="Choices">The choice of each layer, in the order of <see cref="NetworkAnalysis.Layers"/>.</param>
public sealed record PlanPoint(long FileBytes, double Divergence, ImmutableArray<LayerChoice> Choices);
