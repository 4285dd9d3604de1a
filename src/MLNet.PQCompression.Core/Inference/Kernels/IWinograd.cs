namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// Winograd's minimal filtering F(m×m, 3×3) (Lavin and Gray, 2016): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with the one-dimensional transforms given here,
/// each on registers that hold the same element of several tiles, channels or codewords.
/// </summary>
internal unsafe interface IWinograd
{
    /// <summary>m, the rows and columns of an output tile.</summary>
    static abstract int Outputs { get; }

    /// <summary>The rows and columns of an input tile, and of a transformed tile: m + 2, or 2·m + 1 with a stride of 2.</summary>
    static abstract int Inputs { get; }

    /// <summary>The stride of the convolution.</summary>
    static abstract int Stride { get; }

    /// <summary>Bᵀ: from Inputs to as many values.</summary>
    static abstract void Input<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;

    /// <summary>G: from 3 to Inputs values.</summary>
    static abstract void Weight<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;

    /// <summary>Aᵀ: from Inputs to m values.</summary>
    static abstract void Output<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;
}
