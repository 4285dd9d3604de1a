using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <content>256-bit vectors: two codewords at a time are compared with half a panel, so that eight sums, four vectors of queries and two values of codewords fit 16 registers.</content>
internal static partial class NearestCodeword
{
    private const int HalfLanes = Lanes / 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Search256(float* q, int d, float* c, float* offsets, int codewords, int* codes, float* scores)
    {
        Vector256<float> best0 = Vector256.Create(float.PositiveInfinity), best1 = best0, best2 = best0, best3 = best0;
        Vector256<int> code0 = default, code1 = default, code2 = default, code3 = default;
        for (int k = 0; k < codewords; k += 2, c += 2 * d)
        {
            // Where one codeword is left it is compared with itself, which changes nothing.
            int next = k + 1 < codewords ? 1 : 0;
            float* other = c + next * d;
            Vector256<float> s0 = Vector256.Create(offsets[k]), s1 = s0, s2 = s0, s3 = s0;
            Vector256<float> t0 = Vector256.Create(offsets[k + next]), t1 = t0, t2 = t0, t3 = t0;
            float* x = q;
            for (int j = 0; j < d; j++, x += Lanes)
            {
                Vector256<float> v = Vector256.Create(c[j]), w = Vector256.Create(other[j]);
                Vector256<float> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 8);
                s0 = Vector256.FusedMultiplyAdd(v, x0, s0);
                t0 = Vector256.FusedMultiplyAdd(w, x0, t0);
                s1 = Vector256.FusedMultiplyAdd(v, x1, s1);
                t1 = Vector256.FusedMultiplyAdd(w, x1, t1);
                Vector256<float> x2 = Vector256.Load(x + 16), x3 = Vector256.Load(x + 24);
                s2 = Vector256.FusedMultiplyAdd(v, x2, s2);
                t2 = Vector256.FusedMultiplyAdd(w, x2, t2);
                s3 = Vector256.FusedMultiplyAdd(v, x3, s3);
                t3 = Vector256.FusedMultiplyAdd(w, x3, t3);
            }
            Vector256<int> code = Vector256.Create(k), otherCode = Vector256.Create(k + next);
            Keep(s0, code, ref best0, ref code0);
            Keep(s1, code, ref best1, ref code1);
            Keep(s2, code, ref best2, ref code2);
            Keep(s3, code, ref best3, ref code3);
            Keep(t0, otherCode, ref best0, ref code0);
            Keep(t1, otherCode, ref best1, ref code1);
            Keep(t2, otherCode, ref best2, ref code2);
            Keep(t3, otherCode, ref best3, ref code3);
        }
        code0.Store(codes);
        code1.Store(codes + 8);
        code2.Store(codes + 16);
        code3.Store(codes + 24);
        best0.Store(scores);
        best1.Store(scores + 8);
        best2.Store(scores + 16);
        best3.Store(scores + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector256<float> score, Vector256<int> code, ref Vector256<float> best, ref Vector256<int> bestCode)
    {
        bestCode = Vector256.ConditionalSelect(Vector256.LessThan(score, best).AsInt32(), code, bestCode);
        best = Vector256.Min(score, best);
    }
}
