using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Transcendental functions of eight values with relative errors of a few units in the last place.</summary>
internal static class VectorMath
{
    /// <summary>eˣ: 2ⁿ·e^r with |r| ≤ ln 2/2 and a polynomial of degree 6 for e^r. Below −87.3 it is 0, above 88.7 infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        Vector256<float> clamped = Vector256.Min(Vector256.Max(x, Vector256.Create(-87.33f)), Vector256.Create(88.72f));
        Vector256<float> n = Vector256.Round(clamped * 1.44269504f);
        Vector256<float> r = Vector256.MultiplyAddEstimate(n, Vector256.Create(-0.693145752f), clamped);
        r = Vector256.MultiplyAddEstimate(n, Vector256.Create(-1.42860677e-6f), r);
        Vector256<float> p = Vector256.Create(1f / 720);
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1f / 120));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1f / 24));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1f / 6));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(0.5f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256<float>.One);
        p = Vector256.MultiplyAddEstimate(p, r, Vector256<float>.One);
        // Two factors, because 2¹²⁸ is no float32.
        Vector256<int> exponent = Vector256.ConvertToInt32Native(n), half = exponent >> 1;
        Vector256<float> value = p * Power(half) * Power(exponent - half);
        value = Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(88.7228f)), Vector256.Create(float.PositiveInfinity), value);
        value = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-87.33f)), Vector256<float>.Zero, value);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), value, x);
    }

    /// <summary>1/(1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>tanh x = 1 − 2/(1 + e^2x), near 0 by its series, which keeps the relative error small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        Vector256<float> large = Vector256<float>.One - Vector256.Create(2f) / (Vector256<float>.One + Exp(x + x)), s = x * x;
        Vector256<float> p = Vector256.MultiplyAddEstimate(s, Vector256.Create(62f / 2835), Vector256.Create(-17f / 315));
        p = Vector256.MultiplyAddEstimate(p, s, Vector256.Create(2f / 15));
        p = Vector256.MultiplyAddEstimate(p, s, Vector256.Create(-1f / 3));
        Vector256<float> small = Vector256.MultiplyAddEstimate(p * s, x, x);
        return Vector256.ConditionalSelect(Vector256.LessThan(Vector256.Abs(x), Vector256.Create(0.25f)), small, large);
    }

    /// <summary>The error function: near 0 its series, elsewhere formula 7.1.26 of Abramowitz and Stegun, whose error is at most 1.5·10⁻⁷.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Erf(Vector256<float> x)
    {
        Vector256<float> a = Vector256.Abs(x), s = x * x, t = Vector256<float>.One / Vector256.MultiplyAddEstimate(a, Vector256.Create(0.3275911f), Vector256<float>.One);
        Vector256<float> p = Vector256.MultiplyAddEstimate(t, Vector256.Create(1.061405429f), Vector256.Create(-1.453152027f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(1.421413741f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(-0.284496736f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(0.254829592f));
        Vector256<float> large = Vector256.CopySign(Vector256<float>.One - p * t * Exp(-s), x);
        Vector256<float> q = Vector256.MultiplyAddEstimate(s, Vector256.Create(-1f / 1320), Vector256.Create(1f / 216));
        q = Vector256.MultiplyAddEstimate(q, s, Vector256.Create(-1f / 42));
        q = Vector256.MultiplyAddEstimate(q, s, Vector256.Create(0.1f));
        q = Vector256.MultiplyAddEstimate(q, s, Vector256.Create(-1f / 3));
        q = Vector256.MultiplyAddEstimate(q, s, Vector256<float>.One);
        return Vector256.ConditionalSelect(Vector256.LessThan(a, Vector256.Create(0.5f)), q * x * 1.128379167f, large);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Power(Vector256<int> n) => ((n + Vector256.Create(127)) << 23).AsSingle();
}
