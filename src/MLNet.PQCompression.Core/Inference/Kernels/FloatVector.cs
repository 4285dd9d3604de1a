using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A register of float32 values, so that one text serves every vector width.</summary>
internal unsafe interface IFloatVector<T>
    where T : struct, IFloatVector<T>
{
    /// <summary>Values in the register.</summary>
    static abstract int Count { get; }

    /// <summary>All values zero.</summary>
    static abstract T Zero { get; }

    /// <summary>All values alike.</summary>
    static abstract T Create(float value);

    /// <summary>Reads neighbouring values.</summary>
    static abstract T Load(float* source);

    /// <summary>Writes neighbouring values.</summary>
    void Store(float* target);

    /// <summary>x·y + z, fused where the machine can.</summary>
    static abstract T MultiplyAdd(T x, T y, T z);

    /// <summary>x·y + z with the one value at y.</summary>
    static abstract T MultiplyAdd(T x, float* y, T z);

    /// <summary>min(max(x, low), high). x stands last: x86 gives the second operand where one is NaN, so a NaN stays one at the cost of one instruction each.</summary>
    static abstract T Clamp(T x, T low, T high);

    static abstract T operator +(T x, T y);

    static abstract T operator -(T x, T y);

    static abstract T operator *(T x, T y);
}
