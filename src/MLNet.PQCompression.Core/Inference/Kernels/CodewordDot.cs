using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A product with one pixel, straight from the codes: sums[o] = Σ_b Σ_j codebook[code[b, o], j]·x[b·d + j]. The lanes are the d elements of a block.</summary>
/// <remarks>Written out for each d: sums wrapped as <see cref="IFloatVector{T}"/> do not stay in registers.</remarks>
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* codes, int bytesPerCode, int blocks, float* codebook, int d, float* x, float* sums)
    {
        float* rows = stackalloc float[2 * Rows * d], lanes = rows + Rows * d;
        if (d == 8 && bytesPerCode == 1)
            Eight<One>(codes, blocks, codebook, x, rows);
        else if (d == 8)
            Eight<Two>(codes, blocks, codebook, x, rows);
        else if (bytesPerCode == 1)
            Four<One>(codes, blocks, codebook, x, rows);
        else
            Four<Two>(codes, blocks, codebook, x, rows);
        SquareTranspose.Run(rows, d, lanes, Rows, d);
        for (int o = 0; o < Rows; o += Float128.Count)
        {
            Float128 sum = Float128.Load(lanes + o);
            for (int lane = 1; lane < d; lane++)
                sum += Float128.Load(lanes + lane * Rows + o);
            sum.Store(sums + o);
        }
    }

    /// <summary>rows[o, j] = Σ_b codebook[code[b, o], j]·x[b·d + j] for d = 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight<TBytes>(byte* codes, int blocks, float* codebook, float* x, float* rows)
        where TBytes : struct, IConstant
    {
        Vector256<float> c0 = Vector256<float>.Zero, c1 = Vector256<float>.Zero, c2 = Vector256<float>.Zero, c3 = Vector256<float>.Zero;
        Vector256<float> c4 = Vector256<float>.Zero, c5 = Vector256<float>.Zero, c6 = Vector256<float>.Zero, c7 = Vector256<float>.Zero;
        Vector256<float> c8 = Vector256<float>.Zero, c9 = Vector256<float>.Zero, c10 = Vector256<float>.Zero, c11 = Vector256<float>.Zero;
        Vector256<float> c12 = Vector256<float>.Zero, c13 = Vector256<float>.Zero, c14 = Vector256<float>.Zero, c15 = Vector256<float>.Zero;
        for (; blocks > 0; blocks--, codes += TileOperands.PanelWidth * TBytes.Value, x += 8)
        {
            Vector256<float> v = Vector256.Load(x);
            c0 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 0)), v, c0);
            c1 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 1)), v, c1);
            c2 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 2)), v, c2);
            c3 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 3)), v, c3);
            c4 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 4)), v, c4);
            c5 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 5)), v, c5);
            c6 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 6)), v, c6);
            c7 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 7)), v, c7);
            c8 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 8)), v, c8);
            c9 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 9)), v, c9);
            c10 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 10)), v, c10);
            c11 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 11)), v, c11);
            c12 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 12)), v, c12);
            c13 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 13)), v, c13);
            c14 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 14)), v, c14);
            c15 = Vector256.MultiplyAddEstimate(Vector256.Load(codebook + 8 * Code<TBytes>(codes, 15)), v, c15);
        }
        c0.Store(rows);
        c1.Store(rows + 8);
        c2.Store(rows + 16);
        c3.Store(rows + 24);
        c4.Store(rows + 32);
        c5.Store(rows + 40);
        c6.Store(rows + 48);
        c7.Store(rows + 56);
        c8.Store(rows + 64);
        c9.Store(rows + 72);
        c10.Store(rows + 80);
        c11.Store(rows + 88);
        c12.Store(rows + 96);
        c13.Store(rows + 104);
        c14.Store(rows + 112);
        c15.Store(rows + 120);
    }

    /// <summary>rows[o, j] = Σ_b codebook[code[b, o], j]·x[b·d + j] for d = 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TBytes>(byte* codes, int blocks, float* codebook, float* x, float* rows)
        where TBytes : struct, IConstant
    {
        Vector128<float> c0 = Vector128<float>.Zero, c1 = Vector128<float>.Zero, c2 = Vector128<float>.Zero, c3 = Vector128<float>.Zero;
        Vector128<float> c4 = Vector128<float>.Zero, c5 = Vector128<float>.Zero, c6 = Vector128<float>.Zero, c7 = Vector128<float>.Zero;
        Vector128<float> c8 = Vector128<float>.Zero, c9 = Vector128<float>.Zero, c10 = Vector128<float>.Zero, c11 = Vector128<float>.Zero;
        Vector128<float> c12 = Vector128<float>.Zero, c13 = Vector128<float>.Zero, c14 = Vector128<float>.Zero, c15 = Vector128<float>.Zero;
        for (; blocks > 0; blocks--, codes += TileOperands.PanelWidth * TBytes.Value, x += 4)
        {
            Vector128<float> v = Vector128.Load(x);
            c0 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 0)), v, c0);
            c1 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 1)), v, c1);
            c2 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 2)), v, c2);
            c3 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 3)), v, c3);
            c4 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 4)), v, c4);
            c5 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 5)), v, c5);
            c6 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 6)), v, c6);
            c7 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 7)), v, c7);
            c8 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 8)), v, c8);
            c9 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 9)), v, c9);
            c10 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 10)), v, c10);
            c11 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 11)), v, c11);
            c12 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 12)), v, c12);
            c13 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 13)), v, c13);
            c14 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 14)), v, c14);
            c15 = Vector128.MultiplyAddEstimate(Vector128.Load(codebook + 4 * Code<TBytes>(codes, 15)), v, c15);
        }
        c0.Store(rows);
        c1.Store(rows + 4);
        c2.Store(rows + 8);
        c3.Store(rows + 12);
        c4.Store(rows + 16);
        c5.Store(rows + 20);
        c6.Store(rows + 24);
        c7.Store(rows + 28);
        c8.Store(rows + 32);
        c9.Store(rows + 36);
        c10.Store(rows + 40);
        c11.Store(rows + 44);
        c12.Store(rows + 48);
        c13.Store(rows + 52);
        c14.Store(rows + 56);
        c15.Store(rows + 60);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Code<TBytes>(byte* codes, int row)
        where TBytes : struct, IConstant => TBytes.Value == 1 ? codes[row] : ((ushort*)codes)[row];
}
