using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization.Managed;

namespace MLNet.PQCompression.Quantization;

/// <summary>
/// k-means of a layer's blocks that minimises the error of its outputs (paper, section 3.2, equation 2): Σ‖x̃(v − c)‖² = Σ(v − c)ᵀG(v − c)
/// with the Gram matrix G = x̃ᵀx̃ of the layer's input blocks.
/// </summary>
/// <remarks>
/// With G = LLᵀ the distance is ‖Lᵀv − Lᵀc‖², so the E-step is a nearest-codeword search among mapped blocks, at a cost that does not depend on
/// how many activations were sampled. The M-step's pseudo-inverse of x̃ times x̃ is the identity where x̃ has full column rank, so the best
/// codeword is the mean of its blocks (equation 4). With G = I this is plain product quantization (equation 1).
/// </remarks>
public static class WeightedKMeans
{
    private const double Damping = 1e-7;

    /// <summary>Seeds by blocks drawn uniformly and iterates.</summary>
    /// <param name="blocks">N·d values, block after block.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="gram">G, d×d, or empty for the identity.</param>
    /// <param name="options">Codewords, iterations and seed.</param>
    /// <param name="backend">Takes the steps; null for the caller's thread.</param>
    /// <param name="cancellationToken">Stops between iterations.</param>
    /// <exception cref="ArgumentException">There are no whole blocks, a value is not finite, or k is not in [1, min(N, 65536)].</exception>
    public static KMeansResult Fit(
        ReadOnlySpan<float> blocks, int blockSize, ReadOnlySpan<double> gram, KMeansOptions options, IQuantizationBackend? backend = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        int count = blocks.Length / blockSize;
        if (options.Codewords < 1 || options.Codewords > Math.Min(count, 65536))
            throw new ArgumentException($"k must be between 1 and min(blocks, 65536), not {options.Codewords} for {count} blocks.", nameof(options));
        var codebook = new float[options.Codewords * blockSize];
        var random = new Random(options.Seed);
        for (int c = 0; c < options.Codewords; c++)
            blocks.Slice(random.Next(count) * blockSize, blockSize).CopyTo(codebook.AsSpan(c * blockSize));
        return Fit(blocks, blockSize, gram, codebook, options, backend, cancellationToken);
    }

    /// <summary>Iterates from a given codebook.</summary>
    /// <param name="blocks">N·d values, block after block.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="gram">G, d×d, or empty for the identity.</param>
    /// <param name="initial">The first codebook, [k, d].</param>
    /// <param name="options">Iterations and seed.</param>
    /// <param name="backend">Takes the steps; null for the caller's thread.</param>
    /// <param name="cancellationToken">Stops between iterations.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other, or a block is not finite.</exception>
    public static KMeansResult Fit(
        ReadOnlySpan<float> blocks, int blockSize, ReadOnlySpan<double> gram, ReadOnlySpan<float> initial, KMeansOptions options,
        IQuantizationBackend? backend = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (blocks.Length == 0 || blocks.Length % blockSize != 0)
            throw new ArgumentException($"{blocks.Length} values are not whole blocks of {blockSize}.", nameof(blocks));
        if (initial.Length != options.Codewords * blockSize)
            throw new ArgumentException($"A codebook of {options.Codewords} codewords of {blockSize} has {options.Codewords * blockSize} values, not {initial.Length}.", nameof(initial));
        if (!gram.IsEmpty && gram.Length != blockSize * blockSize)
            throw new ArgumentException($"The Gram matrix of blocks of {blockSize} has {blockSize * blockSize} values, not {gram.Length}.", nameof(gram));
        foreach (float v in blocks)
            if (!float.IsFinite(v))
                throw new ArgumentException("A block holds a value that is not finite.", nameof(blocks));
        double[]? factor = gram.IsEmpty ? null : Cholesky.FactorSmall(gram, blockSize, Damping);
        float[] own = blocks.ToArray();
        using IClusters clusters = (backend ?? new ManagedQuantization()).Clusters(own, blockSize, factor, initial);
        var empty = new EmptyClusters(own, blockSize, options);
        var iterations = new List<KMeansIteration>();
        for (int i = 0; i < options.Iterations; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (double objective, int reassigned) = clusters.Assign();
            int splits = empty.Fill(clusters);
            iterations.Add(new(objective, reassigned, splits));
            if (reassigned == 0 && splits == 0 && i > 0)
                break;
            clusters.UpdateCodewords();
        }
        return new(clusters.Codebook.ToArray(), clusters.Codes.ToArray(), iterations, clusters.Objective());
    }

    /// <summary>ΣvᵀGv, the objective of a codebook of zeros.</summary>
    internal static double Energy(ReadOnlySpan<float> blocks, int blockSize, ReadOnlySpan<double> gram)
    {
        double sum = 0;
        for (int start = 0; start < blocks.Length; start += blockSize)
            for (int i = 0; i < blockSize; i++)
            {
                double dot = gram.IsEmpty ? blocks[start + i] : 0;
                for (int j = 0; j < blockSize && !gram.IsEmpty; j++)
                    dot += gram[i * blockSize + j] * blocks[start + j];
                sum += dot * blocks[start + i];
            }
        return sum;
    }
}
