using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Numerics;

/// <summary>Conversion between float32 and float16, as the bits of both, eight numbers at a time.</summary>
/// <remarks>
/// Rounds to the nearest, ties to even, as <see cref="Half"/> does; what is no finite number becomes infinite. Processors have instructions for this that .NET does not offer, and <c>TensorPrimitives</c>
/// calls a function for each vector.
/// </remarks>
internal static class HalfFloats
{
    private const uint Sign = 0x8000_0000, Infinity = 0x7C00, BiasDifference = 112 << 10;

    /// <summary>2⁻¹⁴, below which float16 has fewer digits.</summary>
    private const float LeastNormal = 1f / (1 << 14);

    /// <summary>Rounds scale·source to float16.</summary>
    /// <param name="source">The numbers.</param>
    /// <param name="scale">A power of two.</param>
    /// <param name="target">As many.</param>
    /// <returns>The largest magnitude in the source; not finite where a number is not.</returns>
    public static float FromSingle(ReadOnlySpan<float> source, float scale, Span<ushort> target)
    {
        Vector256<uint> largest = Vector256<uint>.Zero;
        int i = 0;
        for (; i <= source.Length - 16; i += 16)
        {
            Vector256<uint> low = Round(source[i..], scale, ref largest), high = Round(source[(i + 8)..], scale, ref largest);
            Vector256.Narrow(low, high).CopyTo(target[i..]);
        }
        uint bits = 0;
        for (int lane = 0; lane < Vector256<uint>.Count; lane++)
            bits = Math.Max(bits, largest[lane]);
        for (; i < source.Length; i++)
        {
            bits = Math.Max(bits, BitConverter.SingleToUInt32Bits(source[i]) & ~Sign);
            target[i] = BitConverter.HalfToUInt16Bits((Half)(source[i] * scale));
        }
        return BitConverter.UInt32BitsToSingle(bits);
    }

    /// <summary>Gives scale·source as float32.</summary>
    /// <param name="source">Finite numbers.</param>
    /// <param name="scale">A power of two.</param>
    /// <param name="target">As many.</param>
    public static void ToSingle(ReadOnlySpan<ushort> source, float scale, Span<float> target)
    {
        int i = 0;
        for (; i <= source.Length - 16; i += 16)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(source[i..]));
            Expand(low, scale).CopyTo(target[i..]);
            Expand(high, scale).CopyTo(target[(i + 8)..]);
        }
        for (; i < source.Length; i++)
            target[i] = (float)BitConverter.UInt16BitsToHalf(source[i]) * scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Round(ReadOnlySpan<float> source, float scale, ref Vector256<uint> largest)
    {
        Vector256<float> x = Vector256.Create(source);
        largest = Vector256.Max(largest, x.AsUInt32() & Vector256.Create(~Sign));
        x *= scale;
        Vector256<uint> magnitude = x.AsUInt32() & Vector256.Create(~Sign);
        Vector256<uint> normal = ((magnitude + Vector256.Create(0xFFFu) + ((magnitude >> 13) & Vector256<uint>.One)) >> 13) - Vector256.Create(BiasDifference);
        // Behind the digits of ½ there is room for just those that float16 has below its normal range.
        Vector256<uint> small = (magnitude.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(0.5f).AsUInt32();
        Vector256<uint> rounded = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(LeastNormal).AsUInt32()), small, Vector256.Min(normal, Vector256.Create(Infinity)));
        return rounded | ((x.AsUInt32() & Vector256.Create(Sign)) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Expand(Vector256<uint> half, float scale)
    {
        Vector256<uint> magnitude = half & Vector256.Create(0x7FFFu);
        Vector256<uint> normal = (magnitude << 13) + Vector256.Create(BiasDifference << 13);
        Vector256<uint> small = (Vector256.ConvertToSingle(magnitude.AsInt32()) * Vector256.Create(1f / (1 << 24))).AsUInt32();
        Vector256<uint> value = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(0x400u)), small, normal);
        return (value | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle() * scale;
    }
}
