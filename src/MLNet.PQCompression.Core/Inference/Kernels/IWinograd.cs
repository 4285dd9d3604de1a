namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// Winograd's minimal filtering F(m×m, 3×3) (Lavin and Gray, 2016): Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with the one-dimensional transforms given here,
/// each on registers that hold the same element of several tiles, channels or codewords.
/// </summary>
internal unsafe interface IWinograd
{
    /// <summary>m, the rows and columns of an output tile.</summary>
    static abstract int Outputs { get; }

    /// <summary>m + 2, the rows and columns of an input tile.</summary>
    static abstract int Inputs { get; }

    /// <summary>Bᵀ: from m + 2 to m + 2 values.</summary>
    static abstract void Input<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;

    /// <summary>G: from 3 to m + 2 values.</summary>
    static abstract void Weight<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;

    /// <summary>Aᵀ: from m + 2 to m values.</summary>
    static abstract void Output<T>(float* from, nint fromStride, float* to, nint toStride)
        where T : struct, IFloatVector<T>;
}
