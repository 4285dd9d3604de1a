using System.Collections.Immutable;
using System.IO.Enumeration;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>What k-means minimises.</summary>
public enum CompressionMethod
{
    /// <summary>The error of each layer's outputs by the full quadratic form of its inputs, with drift correction.</summary>
    Output,

    /// <summary>The paper's: the error of each block's outputs (equation 2), blocks taken as independent.</summary>
    Paper,

    /// <summary>Plain product quantization: the error of the weights themselves (equation 1).</summary>
    Plain,
}

/// <summary>The block sizes of the paper's section 4.1. Sizes between and beyond are the matter of a budget.</summary>
public enum BlockRegime
{
    /// <summary>3×3: d = 9; 1×1: d = 4.</summary>
    Small,

    /// <summary>3×3: d = 18; 1×1: d = 8, but 4 in networks of basic blocks.</summary>
    Large,

    /// <summary>
    /// As small ones, but where a layer is so small that its codebook outweighs its codes, the smaller blocks that take no more bytes and have the most bits for each weight; and smaller blocks in the smallest
    /// of the other layers, as far as a fortieth of all bytes goes. The methods of the paper take small blocks.
    /// </summary>
    Fitted,

    /// <summary>The same with large blocks where layers are large.</summary>
    FittedLarge,
}

/// <summary>What to do with the layers whose name matches; the last match wins.</summary>
/// <param name="Pattern">A node or weight name, * and ? allowed.</param>
/// <param name="BlockSize">d, or null to keep the regime's.</param>
/// <param name="Codewords">k, or null to keep the regime's.</param>
/// <param name="Skip">True leaves the layer dense.</param>
/// <param name="Reason">Why, for tables; null for "as asked".</param>
public sealed record LayerOverride(string Pattern, int? BlockSize = null, int? Codewords = null, bool Skip = false, string? Reason = null)
{
    /// <summary>Whether it is about a layer.</summary>
    internal bool Matches(string node, string weight) => FileSystemName.MatchesSimpleExpression(Pattern, node, false) || FileSystemName.MatchesSimpleExpression(Pattern, weight, false);
}

/// <summary>How to compress a model. The defaults are the recommended ones; the paper's are named where they differ.</summary>
public sealed record CompressionOptions
{
    /// <summary>What k-means minimises.</summary>
    public CompressionMethod Method { get; init; } = CompressionMethod.Output;

    /// <summary>The block sizes.</summary>
    public BlockRegime Blocks { get; init; } = BlockRegime.Fitted;

    /// <summary>k for convolutions, clamped to min(k, C_out·m/4) and down to a power of two (section 4.1).</summary>
    public int Codewords { get; init; } = 256;

    /// <summary>k for the classifier, clamped likewise; null takes 2048 for networks of basic blocks and 1024 otherwise on classifiers with 1000 rows or more, else <see cref="Codewords"/>.</summary>
    public int? ClassifierCodewords { get; init; }

    /// <summary>d for the classifier.</summary>
    public int ClassifierBlockSize { get; init; } = 4;

    /// <summary>
    /// Whether depthwise convolutions, whose filters have one input channel, are compressed too. On four mobile networks they were 3 to 17% of the bytes saved and had
    /// the largest errors, so by default they stay as they are.
    /// </summary>
    public bool Depthwise { get; init; }

    /// <summary>k-means iterations a layer (the paper: 100).</summary>
    public int Iterations { get; init; } = 100;

    /// <summary>How many images are read at most.</summary>
    public int MaxImages { get; init; } = 2048;

    /// <summary>
    /// How often each image is looked at, at most, where there are fewer than <see cref="MaxImages"/>: as it is, then with random crops and flips (<see cref="Augmentation.For"/>).
    /// Only <see cref="CompressionMethod.Output"/> does so.
    /// </summary>
    public int Views { get; init; } = 4;

    /// <summary>
    /// Bytes that the process may take, within 1 GiB: the activations of the images, and a layer's statistics. Fewer images are read where <see cref="MaxImages"/> would take more. A fixed number and not
    /// the machine's memory, so that results do not depend on the machine; 4 GiB suit one of 8. What distillation takes comes afterwards and depends on its own images.
    /// </summary>
    public long MaxActivationBytes { get; init; } = 4L << 30;

    /// <summary>Seed of every random choice. The same seed, model, images and options give the same bytes.</summary>
    public int Seed { get; init; }

    /// <summary>Threads, or 0 for one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>Whether BatchNorm statistics are re-estimated from the student's activations.</summary>
    public bool ReestimateBatchNorm { get; init; }

    /// <summary>Gradient steps on the codebooks after each layer and at the end (sections 3.3 and 3.4); null for none.</summary>
    public DistillationOptions? Distillation { get; init; }

    /// <summary>Makes what the work runs on, from <see cref="Threads"/>; null for the managed backend. It is disposed of with the work.</summary>
    public Func<int, IBackend>? Backend { get; init; }

    /// <summary>
    /// The ranks that do the work together, or null for none but this process. The images are then cut into a fixed number of parts, and sums are made over the parts in a fixed order, so that the result is
    /// the same for any number of ranks, one among them; it is not that of null. How many images are read does not depend on the number of ranks either: each takes its share of
    /// what <see cref="MaxActivationBytes"/> allows one. All ranks get the result.
    /// </summary>
    public ICollective? Collective { get; init; }

    /// <summary>Runs what stands between layers where this library has no kernel for it; null refuses models with such nodes. The tool and the ML.NET package bring ONNX Runtime.</summary>
    public IForeignRuntime? ForeignRuntime { get; init; }

    /// <summary>A folder in which the state is kept after each layer and epoch, so that the same work, interrupted, goes on from there; null for none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Exceptions for some layers.</summary>
    public ImmutableArray<LayerOverride> Overrides { get; init; } = [];
}
