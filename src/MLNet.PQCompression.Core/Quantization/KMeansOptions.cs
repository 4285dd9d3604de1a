namespace MLNet.PQCompression.Quantization;

/// <summary>Parameters of <see cref="WeightedKMeans"/>.</summary>
public sealed record KMeansOptions
{
    /// <summary>k, the codewords to find.</summary>
    public required int Codewords { get; init; }

    /// <summary>Iterations at most; fewer where the codes settle (the paper: 100).</summary>
    public int Iterations { get; init; } = 100;

    /// <summary>Seed of the initial codewords and of splits.</summary>
    public int Seed { get; init; }

    /// <summary>Failed splits of an empty cluster after which the worst-served block becomes its codeword.</summary>
    public int MaxSplits { get; init; } = 3;
}

/// <summary>One iteration of k-means.</summary>
/// <param name="Objective">Σ(v − c)ᵀG(v − c) after the E-step, before the M-step.</param>
/// <param name="Reassigned">Blocks whose code changed.</param>
/// <param name="Splits">Empty clusters filled.</param>
public readonly record struct KMeansIteration(double Objective, int Reassigned, int Splits);

/// <summary>What k-means found.</summary>
/// <param name="Codebook">[k, d].</param>
/// <param name="Codes">One code for each block.</param>
/// <param name="Iterations">The iterations done.</param>
/// <param name="Objective">Σ(v − c)ᵀG(v − c) of the codebook and codes returned.</param>
public sealed record KMeansResult(float[] Codebook, ushort[] Codes, IReadOnlyList<KMeansIteration> Iterations, double Objective);
