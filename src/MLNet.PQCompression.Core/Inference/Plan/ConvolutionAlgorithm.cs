namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The ways to compute a 3×3 convolution of stride 1.</summary>
internal enum ConvolutionAlgorithm
{
    /// <summary>Whichever is expected to be the fastest.</summary>
    Fastest,

    /// <summary>By the definition.</summary>
    Direct,

    /// <summary>F(2×2, 3×3).</summary>
    Winograd2,

    /// <summary>F(4×4, 3×3).</summary>
    Winograd4,
}
