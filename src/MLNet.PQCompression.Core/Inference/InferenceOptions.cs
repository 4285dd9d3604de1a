using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Plan;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference;

/// <summary>How an inference session runs.</summary>
public sealed record InferenceOptions
{
    /// <summary>Threads for one call, or 0 for one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>The size C×H×W of the images of <see cref="InferenceSession.Run(ReadOnlySpan{float}, int, Span{float})"/>, needed there where the model leaves it open.</summary>
    public TensorShape? InputShape { get; init; }

    /// <summary>The names of the outputs that are wanted, or null for all. What only others need is not computed.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }

    /// <summary>
    /// The most images that go through the network together. A batch is cut in any case into groups of as many images as fit a core's cache (one, for large
    /// images), and each thread takes groups of its own.
    /// </summary>
    public int MaxBatch { get; init; } = 8;

    /// <summary>
    /// True gives an image the same bits in any batch: kernels are chosen as for one image. False takes the fastest kernel for each batch size, and the last
    /// bits may differ between sizes.
    /// </summary>
    public bool BatchInvariant { get; init; }

    /// <summary>
    /// True times the ways to compute each layer on this machine, once for all sessions over a model that ask for it, and keeps the fastest; false leaves the
    /// choice to a cost model. Tuning takes some ten times as long as a call. The choice, and with it the last bits of the outputs, may differ from run to run.
    /// </summary>
    public bool Tune { get; init; }

    /// <summary>
    /// The most bytes that a call may take for activations and scratch, 4 GiB unless changed. A model that needs more for one image is refused when the session is
    /// made, before anything of that size is allocated; where not every thread can have an image of its own within it, the threads share the images.
    /// </summary>
    /// <remarks>A file of a hundred bytes can ask for gigabytes of activations, so a service that takes models from others should lower it.</remarks>
    public long MaxMemoryBytes { get; init; } = 4L << 30;

    /// <summary>
    /// True, the default, refuses outputs that are NaN or infinite with an exception that names the image and the node, because the largest of some scores with a NaN among them is a class like any other.
    /// False hands out what the arithmetic gives, for models whose outputs may be infinite.
    /// </summary>
    public bool RequireFinite { get; init; } = true;

    /// <summary>
    /// What runs a model with nodes that have no kernel here, where something chooses between it and <see cref="InferenceSession"/>. Null takes that of the package MLNet.PQCompression.OnnxRuntime, where the
    /// application has it.
    /// </summary>
    public IForeignRuntime? ForeignRuntime { get; init; }

    /// <summary>The vector width of the kernels; tests lower it.</summary>
    internal SimdLevel Level { get; init; } = SimdLevels.Best;

    /// <summary>How 3×3 convolutions are computed; tests force each way.</summary>
    internal ConvolutionAlgorithm Algorithm { get; init; }
}
