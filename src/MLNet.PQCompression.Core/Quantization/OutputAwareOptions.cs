namespace MLNet.PQCompression.Quantization;

/// <summary>Parameters of <see cref="OutputAwareQuantizer"/>.</summary>
public sealed record OutputAwareOptions
{
    /// <summary>A search that tells block sizes and codebooks apart in a fraction of the time; its errors are a little above those of a whole one, by about the same factor for all.</summary>
    internal static OutputAwareOptions Short => new() { Codewords = 0, InitialIterations = 8, Rounds = 3, Passes = 1, Perturbations = 0, CodebookSteps = 8 };

    /// <summary>k, the codewords to find.</summary>
    public required int Codewords { get; init; }

    /// <summary>Initial codebooks that are tried; the one with the lowest objective after a round goes on.</summary>
    public int Starts { get; init; } = 1;

    /// <summary>Iterations of k-means before the search by the full quadratic form.</summary>
    public int InitialIterations { get; init; } = 15;

    /// <summary>Rounds of code and codebook steps at most.</summary>
    public int Rounds { get; init; } = 12;

    /// <summary>Greedy passes over the codes in a round.</summary>
    public int Passes { get; init; } = 2;

    /// <summary>Perturbed passes over the codes in a round; each keeps the rows that it made better.</summary>
    public int Perturbations { get; init; } = 3;

    /// <summary>The size of a perturbation's random tilt relative to the gradient's.</summary>
    public float Temperature { get; init; } = 0.4f;

    /// <summary>Conjugate-gradient steps for the codebook in a round. The next round's codes ask for another codebook, so few do.</summary>
    public int CodebookSteps { get; init; } = 6;

    /// <summary>Those for the last codebook.</summary>
    public int FinalCodebookSteps { get; init; } = 15;

    /// <summary>The rounds end when the objective falls by less than this fraction.</summary>
    public double Tolerance { get; init; } = 2e-3;

    /// <summary>Seed of the initial codewords and of the order of positions.</summary>
    public int Seed { get; init; }
}

/// <summary>The objective after one step of output-aware quantization.</summary>
/// <param name="Step">"k-means", "codes", "codebook" or "float16".</param>
/// <param name="Objective">Σ s_o·(ŵ_o − w_o)ᵀH(ŵ_o − w_o).</param>
public readonly record struct OutputAwareStep(string Step, double Objective);

/// <summary>What output-aware quantization found.</summary>
/// <param name="Codebook">[k, d], every value a float16.</param>
/// <param name="Codes">[rows, m].</param>
/// <param name="Steps">The objective after each step; it does not rise but for the rounding of the codebook to float16.</param>
/// <param name="RelativeError">The objective over Σ s_o·w_oᵀHw_o: the share of the outputs' energy that is error.</param>
public sealed record OutputAwareResult(float[] Codebook, ushort[] Codes, IReadOnlyList<OutputAwareStep> Steps, double RelativeError);
