using System.Collections.Immutable;

namespace MLNet.PQCompression.Budget;

/// <summary>What each layer costs at each size, and the best plans of all sizes that follow.</summary>
/// <remarks>The divergence of a plan is the sum of what its layers cost alone. Errors of several layers add up like that while they are small and independent.</remarks>
public sealed class NetworkAnalysis
{
    private readonly Lazy<ImmutableArray<PlanPoint>> _curve;

    internal NetworkAnalysis(ImmutableArray<LayerSensitivity> layers, long otherBytes, long denseBytes, int images, bool isOfClasses, double seconds)
    {
        (Layers, OtherBytes, DenseBytes, Images, IsOfClasses, Seconds) = (layers, otherBytes, denseBytes, images, isOfClasses, seconds);
        _curve = new(() => PlanSearch.Curve([.. layers.Select(l => l.Choices)], otherBytes));
    }

    /// <summary>Every convolution and linear layer in the order of the graph.</summary>
    public ImmutableArray<LayerSensitivity> Layers { get; }

    /// <summary>Bytes of the file that belong to no layer's weight: names, biases, BatchNorm, metadata.</summary>
    public long OtherBytes { get; }

    /// <summary>Bytes of all parameters in float32, counted as the paper does.</summary>
    public long DenseBytes { get; }

    /// <summary>The images it was measured on.</summary>
    public int Images { get; }

    /// <summary>Whether divergences are KL in nats, and not 1 − cosine.</summary>
    public bool IsOfClasses { get; }

    /// <summary>The time it took.</summary>
    public double Seconds { get; }

    /// <summary>The best plans, by rising bytes and falling divergence.</summary>
    public ImmutableArray<PlanPoint> Curve => _curve.Value;

    /// <summary>The best plan of at most so many bytes, or null where even the smallest is larger.</summary>
    public PlanPoint? Within(long fileBytes) => Curve.LastOrDefault(p => p.FileBytes <= fileBytes);

    /// <summary>The smallest plan of at most so much divergence, or null where there is none.</summary>
    public PlanPoint? Below(double divergence) => Curve.FirstOrDefault(p => p.Divergence <= divergence);

    /// <summary>The same analysis with other bytes outside the layers, as a written file has shown.</summary>
    internal NetworkAnalysis WithOtherBytes(long otherBytes) => new(Layers, otherBytes, DenseBytes, Images, IsOfClasses, Seconds);
}
