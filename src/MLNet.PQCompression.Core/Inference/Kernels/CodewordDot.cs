using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A product with one pixel, straight from the codes: sums[o] = Σ_b Σ_j codebook[code[b, o], j]·x[b·d + j]. The lanes are the d elements of a block.</summary>
internal static unsafe class CodewordDot
{
    /// <summary>Outputs computed at once.</summary>
    public const int Rows = 16;

    /// <summary>Whether there is a kernel for a block size.</summary>
    public static bool Supports(int blockSize) => blockSize is 4 or 8;

    /// <summary>16 outputs.</summary>
    /// <param name="codes">The first output's code of block 0; codes of a block lie side by side, those of the next 32 further.</param>
    /// <param name="bytesPerCode">1 or 2.</param>
    /// <param name="blocks">Blocks.</param>
    /// <param name="codebook">[k, d] values.</param>
    /// <param name="d">4 or 8.</param>
    /// <param name="x">[blocks·d] values.</param>
    /// <param name="sums">Receives 16 values.</param>
    public static void Multiply(byte* codes, int bytesPerCode, int blocks, float* codebook, int d, float* x, float* sums)
    {
        if (d == 8 && bytesPerCode == 1)
            Multiply<Float256, One>(codes, blocks, codebook, x, sums);
        else if (d == 8)
            Multiply<Float256, Two>(codes, blocks, codebook, x, sums);
        else if (bytesPerCode == 1)
            Multiply<Float128, One>(codes, blocks, codebook, x, sums);
        else
            Multiply<Float128, Two>(codes, blocks, codebook, x, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TVector, TBytes>(byte* codes, int blocks, float* codebook, float* x, float* sums)
        where TVector : struct, IFloatVector<TVector>
        where TBytes : struct, IConstant
    {
        TVector c0 = TVector.Zero, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        TVector c8 = c0, c9 = c0, c10 = c0, c11 = c0, c12 = c0, c13 = c0, c14 = c0, c15 = c0;
        for (; blocks > 0; blocks--, codes += TileOperands.PanelWidth * TBytes.Value, x += TVector.Count)
        {
            TVector v = TVector.Load(x);
            c0 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 0), v, c0);
            c1 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 1), v, c1);
            c2 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 2), v, c2);
            c3 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 3), v, c3);
            c4 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 4), v, c4);
            c5 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 5), v, c5);
            c6 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 6), v, c6);
            c7 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 7), v, c7);
            c8 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 8), v, c8);
            c9 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 9), v, c9);
            c10 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 10), v, c10);
            c11 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 11), v, c11);
            c12 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 12), v, c12);
            c13 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 13), v, c13);
            c14 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 14), v, c14);
            c15 = TVector.MultiplyAdd(Codeword<TVector, TBytes>(codebook, codes, 15), v, c15);
        }
        float* rows = stackalloc float[2 * Rows * 8], lanes = rows + Rows * 8;
        c0.Store(rows);
        c1.Store(rows + TVector.Count);
        c2.Store(rows + 2 * TVector.Count);
        c3.Store(rows + 3 * TVector.Count);
        c4.Store(rows + 4 * TVector.Count);
        c5.Store(rows + 5 * TVector.Count);
        c6.Store(rows + 6 * TVector.Count);
        c7.Store(rows + 7 * TVector.Count);
        c8.Store(rows + 8 * TVector.Count);
        c9.Store(rows + 9 * TVector.Count);
        c10.Store(rows + 10 * TVector.Count);
        c11.Store(rows + 11 * TVector.Count);
        c12.Store(rows + 12 * TVector.Count);
        c13.Store(rows + 13 * TVector.Count);
        c14.Store(rows + 14 * TVector.Count);
        c15.Store(rows + 15 * TVector.Count);
        SquareTranspose.Run(rows, TVector.Count, lanes, Rows, TVector.Count);
        for (int o = 0; o < Rows; o += Float128.Count)
        {
            Float128 sum = Float128.Load(lanes + o);
            for (int lane = 1; lane < TVector.Count; lane++)
                sum += Float128.Load(lanes + lane * Rows + o);
            sum.Store(sums + o);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Codeword<TVector, TBytes>(float* codebook, byte* codes, int row)
        where TVector : struct, IFloatVector<TVector>
        where TBytes : struct, IConstant =>
        TVector.Load(codebook + (nuint)(TBytes.Value == 1 ? codes[row] : ((ushort*)codes)[row]) * (nuint)TVector.Count);
}
