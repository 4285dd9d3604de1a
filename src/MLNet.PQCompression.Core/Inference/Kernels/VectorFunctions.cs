using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A function of one value, eight at a time.</summary>
internal interface IVectorFunction
{
    /// <summary>f(x).</summary>
    Vector256<float> Value(Vector256<float> x);
}

/// <summary>max(x, 0).</summary>
internal readonly struct Relu256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Vector256.MaxNative(Vector256<float>.Zero, x);
}

/// <summary>min(max(x, low), high), also where low is above high.</summary>
internal readonly struct Clip256(float low, float high) : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Vector256.MinNative(Vector256.Create(high), Vector256.MaxNative(Vector256.Create(low), x));
}

/// <summary>max(0, min(1, alpha·x + beta)).</summary>
internal readonly struct HardSigmoid256(float alpha, float beta) : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) =>
        Vector256.MinNative(Vector256<float>.One, Vector256.MaxNative(Vector256<float>.Zero, Vector256.MultiplyAddEstimate(x, Vector256.Create(alpha), Vector256.Create(beta))));
}

/// <summary>x·f(x): with a sigmoid SiLU, with a hard sigmoid HardSwish.</summary>
internal readonly struct Gated256<TGate>(TGate gate) : IVectorFunction
    where TGate : struct, IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => x * gate.Value(x);
}

/// <summary>1/(1 + e⁻ˣ).</summary>
internal readonly struct Sigmoid256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => VectorMath.Sigmoid(x);
}

/// <summary>The hyperbolic tangent.</summary>
internal readonly struct Tanh256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => VectorMath.Tanh(x);
}

/// <summary>eˣ.</summary>
internal readonly struct Exp256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => VectorMath.Exp(x);
}

/// <summary>The error function.</summary>
internal readonly struct Erf256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => VectorMath.Erf(x);
}

/// <summary>(1 + erf(x/√2))/2, the gate of Gelu.</summary>
internal readonly struct Normal256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Vector256.MultiplyAddEstimate(VectorMath.Erf(x * 0.70710678f), Vector256.Create(0.5f), Vector256.Create(0.5f));
}

/// <summary>(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, the gate of the approximate Gelu.</summary>
internal readonly struct NearlyNormal256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => VectorMath.Sigmoid(x * 1.59576912f * Vector256.MultiplyAddEstimate(x * x, Vector256.Create(0.044715f), Vector256<float>.One));
}

/// <summary>x, or slope·x below zero.</summary>
internal readonly struct LeakyRelu256(float slope) : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256<float>.Zero), x * slope, x);
}

/// <summary>factor·x above zero, scale·(e^(x/width) − 1) elsewhere: Elu, Selu and Celu.</summary>
internal readonly struct Elu256(float factor, float scale, float width) : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Vector256.ConditionalSelect(
        Vector256.GreaterThan(x, Vector256<float>.Zero), x * factor, (VectorMath.Exp(x / Vector256.Create(width)) - Vector256<float>.One) * scale);
}

/// <summary>tanh(ln(1 + eˣ)) = 1 − 2/((1 + eˣ)² + 1), the gate of Mish.</summary>
internal readonly struct Mish256 : IVectorFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x)
    {
        // n/(n + 2) with n = e²ˣ + 2eˣ loses nothing where eˣ is small; above 20 the gate is 1.
        Vector256<float> e = VectorMath.Exp(Vector256.Min(x, Vector256.Create(20f))), n = e * (e + Vector256.Create(2f));
        return n / (n + Vector256.Create(2f));
    }
}
