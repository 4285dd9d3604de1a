namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The ways to compute a convolution; a layer that a way is not for is computed by the definition.</summary>
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

    /// <summary>F(4×4, 3×3) of stride 1 or 2 with positions as lanes.</summary>
    FilterWinograd,

    /// <summary>By product tables.</summary>
    ProductTable,
}
