using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>4 values.</summary>
internal readonly unsafe struct Float128(Vector128<float> value) : IFloatVector<Float128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => 4;

    public static Float128 Zero => new(Vector128<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Create(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 MultiplyAdd(Float128 x, Float128 y, Float128 z) => new(Vector128.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 MultiplyAdd(Float128 x, float* y, Float128 z) => new(Vector128.MultiplyAddEstimate(x._value, Vector128.Create(*y), z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 Clamp(Float128 x, Float128 low, Float128 high) => new(Vector128.MinNative(high._value, Vector128.MaxNative(low._value, x._value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator +(Float128 x, Float128 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator -(Float128 x, Float128 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float128 operator *(Float128 x, Float128 y) => new(x._value * y._value);
}
