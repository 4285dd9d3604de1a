using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>The E-step: for each query q the codeword c with the smallest score offset(c) + q·c.</summary>
/// <remarks>
/// Every search of this library is of that form. The distance (v − c)ᵀG(v − c) is, but for vᵀGv, twice the score with the query −Gv and the
/// offset ½cᵀGc. Queries lie in panels of <see cref="Lanes"/>, coordinate after coordinate ([d][Lanes]), so that one codeword is compared with
/// that many queries by d fused multiply-adds a vector. Ties go to the lower code.
/// </remarks>
internal static partial class NearestCodeword
{
    /// <summary>Queries in a panel.</summary>
    public const int Lanes = QuadraticObjective.RowAlignment;

    /// <summary>Searches the codebook for the queries of one panel.</summary>
    /// <param name="queries">[d][Lanes].</param>
    /// <param name="d">The block size.</param>
    /// <param name="codebook">[k, d].</param>
    /// <param name="offsets">k offsets.</param>
    /// <param name="codes">The best code of each lane.</param>
    /// <param name="scores">The best score of each lane.</param>
    public static void Search(ReadOnlySpan<float> queries, int d, ReadOnlySpan<float> codebook, ReadOnlySpan<float> offsets, Span<int> codes, Span<float> scores) =>
        Search(SimdLevels.Best, queries, d, codebook, offsets, codes, scores);

    internal static unsafe void Search(
        SimdLevel level, ReadOnlySpan<float> queries, int d, ReadOnlySpan<float> codebook, ReadOnlySpan<float> offsets, Span<int> codes, Span<float> scores)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(queries.Length, d * Lanes, nameof(queries));
        ArgumentOutOfRangeException.ThrowIfLessThan(codebook.Length, offsets.Length * d, nameof(codebook));
        ArgumentOutOfRangeException.ThrowIfLessThan(codes.Length, Lanes, nameof(codes));
        ArgumentOutOfRangeException.ThrowIfLessThan(scores.Length, Lanes, nameof(scores));
        fixed (float* q = queries, c = codebook, o = offsets, s = scores)
        fixed (int* i = codes)
        {
            if (level == SimdLevel.Vector512)
                Search512(q, d, c, o, offsets.Length, i, s);
            else
                for (int lane = 0; lane < Lanes; lane += HalfLanes)
                    Search256(q + lane, d, c, o, offsets.Length, i + lane, s + lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Search512(float* q, int d, float* c, float* offsets, int codewords, int* codes, float* scores)
    {
        Vector512<float> best0 = Vector512.Create(float.PositiveInfinity), best1 = best0, best2 = best0, best3 = best0;
        Vector512<int> code0 = default, code1 = default, code2 = default, code3 = default;
        for (int k = 0; k < codewords; k++, c += d)
        {
            Vector512<float> s0 = Vector512.Create(offsets[k]), s1 = s0, s2 = s0, s3 = s0;
            float* x = q;
            for (int j = 0; j < d; j++, x += Lanes)
            {
                Vector512<float> w = Vector512.Create(c[j]);
                s0 = Vector512.FusedMultiplyAdd(w, Vector512.Load(x), s0);
                s1 = Vector512.FusedMultiplyAdd(w, Vector512.Load(x + 16), s1);
                s2 = Vector512.FusedMultiplyAdd(w, Vector512.Load(x + 32), s2);
                s3 = Vector512.FusedMultiplyAdd(w, Vector512.Load(x + 48), s3);
            }
            Vector512<int> code = Vector512.Create(k);
            code0 = Vector512.ConditionalSelect(Vector512.LessThan(s0, best0).AsInt32(), code, code0);
            code1 = Vector512.ConditionalSelect(Vector512.LessThan(s1, best1).AsInt32(), code, code1);
            code2 = Vector512.ConditionalSelect(Vector512.LessThan(s2, best2).AsInt32(), code, code2);
            code3 = Vector512.ConditionalSelect(Vector512.LessThan(s3, best3).AsInt32(), code, code3);
            best0 = Vector512.Min(s0, best0);
            best1 = Vector512.Min(s1, best1);
            best2 = Vector512.Min(s2, best2);
            best3 = Vector512.Min(s3, best3);
        }
        code0.Store(codes);
        code1.Store(codes + 16);
        code2.Store(codes + 32);
        code3.Store(codes + 48);
        best0.Store(scores);
        best1.Store(scores + 16);
        best2.Store(scores + 32);
        best3.Store(scores + 48);
    }
}
