using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Plan;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference;

/// <summary>How an inference session runs.</summary>
public sealed record InferenceOptions
{
    /// <summary>Threads for one call, or 0 for one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>The size C×H×W of the images, needed where the model leaves it open.</summary>
    public TensorShape? InputShape { get; init; }

    /// <summary>The most images computed at once; longer batches are cut. Memory for activations grows with it.</summary>
    public int MaxBatch { get; init; } = 8;

    /// <summary>
    /// True gives an image the same bits in any batch: kernels are chosen as for one image. False takes the fastest kernel for each batch size, and the last
    /// bits may differ between sizes.
    /// </summary>
    public bool BatchInvariant { get; init; }

    /// <summary>The vector width of the kernels; tests lower it.</summary>
    internal SimdLevel Level { get; init; } = SimdLevels.Best;

    /// <summary>How 3×3 convolutions are computed; tests force each way.</summary>
    internal ConvolutionAlgorithm Algorithm { get; init; }
}
