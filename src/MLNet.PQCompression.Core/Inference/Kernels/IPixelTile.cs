namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// The innermost step of a direct convolution: sums[p, o] = Σᵣ Σᵢ x[offset[r] + i + p·stride]·panel[r·RunLength + i, o] for some neighbouring
/// output pixels p and 32 output channels o, all sums in registers, and what becomes of them.
/// </summary>
internal interface IPixelTile
{
    /// <summary>The most pixels of a tile.</summary>
    static abstract int Pixels { get; }

    /// <summary>Computes the outputs of TPixels pixels whose inputs lie TStride values apart.</summary>
    /// <param name="t">The operands.</param>
    /// <param name="e">What becomes of the sums.</param>
    /// <param name="wide">Whether all 32 channels are wanted, or the first 16 alone.</param>
    static abstract void Multiply<TStride, TPixels>(ref readonly TileOperands t, ref readonly TileEpilogue e, bool wide)
        where TStride : struct, IConstant
        where TPixels : struct, IConstant;
}

/// <summary>What a pixel tile reads and writes.</summary>
internal unsafe struct TileOperands
{
    /// <summary>Output channels of a weight panel.</summary>
    public const int PanelWidth = 32;

    /// <summary>The most pixels of a tile at any level.</summary>
    public const int MaxPixels = 14;

    /// <summary>The first input value of pixel 0.</summary>
    public float* X;

    /// <summary>The first input value of pixel 7, which may begin another row.</summary>
    public float* X7;

    /// <summary>Where each run of neighbouring input values begins, from a pixel's first value.</summary>
    public nint* Offsets;

    /// <summary>The number of runs.</summary>
    public int Runs;

    /// <summary>Values in a run.</summary>
    public int RunLength;

    /// <summary>Weights, [Runs·RunLength, PanelWidth].</summary>
    public float* Panel;

    /// <summary>Room for sums that do not go to the epilogue in registers, [pixels, PanelWidth].</summary>
    public float* Sums;
}
