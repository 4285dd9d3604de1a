using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>The 8×8 inverse DCT in integers: the factorization of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with constants of 13
/// fractional bits, two more bits kept between the column pass and the row pass, so that samples equal those of libjpeg's accurate method.</summary>
internal static class InverseDct
{
    private const int ConstantBits = 13;
    private const int PassBits = 2;

    /// <summary>Transforms dequantized coefficients (64, row by row) to samples, shifted by 128 and clamped to a byte.</summary>
    public static void Transform(ReadOnlySpan<int> coefficients, Span<byte> samples, int stride)
    {
        ref int source = ref MemoryMarshal.GetReference(coefficients[..64]);
        Vector256<int> r0 = Vector256.LoadUnsafe(ref source), r1 = Vector256.LoadUnsafe(ref source, 8);
        Vector256<int> r2 = Vector256.LoadUnsafe(ref source, 16), r3 = Vector256.LoadUnsafe(ref source, 24);
        Vector256<int> r4 = Vector256.LoadUnsafe(ref source, 32), r5 = Vector256.LoadUnsafe(ref source, 40);
        Vector256<int> r6 = Vector256.LoadUnsafe(ref source, 48), r7 = Vector256.LoadUnsafe(ref source, 56);
        Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, ConstantBits - PassBits);
        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Pass(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7, ConstantBits + PassBits + 3);
        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Store(r0, samples);
        Store(r1, samples[stride..]);
        Store(r2, samples[(2 * stride)..]);
        Store(r3, samples[(3 * stride)..]);
        Store(r4, samples[(4 * stride)..]);
        Store(r5, samples[(5 * stride)..]);
        Store(r6, samples[(6 * stride)..]);
        Store(r7, samples[(7 * stride)..]);
    }

    /// <summary>The samples of a block whose only coefficient is <paramref name="dc"/>.</summary>
    public static void TransformDc(int dc, Span<byte> samples, int stride)
    {
        byte value = (byte)Math.Clamp(((dc + 4) >> 3) + 128, 0, 255);
        for (int y = 0; y < 8; y++)
            samples.Slice(y * stride, 8).Fill(value);
    }

    /// <summary>One pass of eight parallel one-dimensional transforms; element i of each is in vector i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(
        ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
        ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7, int shift)
    {
        // Even part: a rotation of (2, 6) and a butterfly of (0, 4).
        Vector256<int> rotated = (r2 + r6) * 4433;
        Vector256<int> e2 = rotated - r6 * 15137, e3 = rotated + r2 * 6270;
        Vector256<int> e0 = (r0 + r4) << ConstantBits, e1 = (r0 - r4) << ConstantBits;
        Vector256<int> round = Vector256.Create(1 << (shift - 1));
        Vector256<int> even0 = e0 + e3 + round, even3 = e0 - e3 + round, even1 = e1 + e2 + round, even2 = e1 - e2 + round;

        // Odd part: (7, 5, 3, 1) through three sums and eight products.
        Vector256<int> z5 = (r7 + r3 + r5 + r1) * 9633;
        Vector256<int> z1 = (r7 + r1) * -7373, z2 = (r5 + r3) * -20995;
        Vector256<int> z3 = (r7 + r3) * -16069 + z5, z4 = (r5 + r1) * -3196 + z5;
        Vector256<int> odd0 = r7 * 2446 + z1 + z3, odd1 = r5 * 16819 + z2 + z4;
        Vector256<int> odd2 = r3 * 25172 + z2 + z3, odd3 = r1 * 12299 + z1 + z4;

        r0 = (even0 + odd3) >> shift;
        r7 = (even0 - odd3) >> shift;
        r1 = (even1 + odd2) >> shift;
        r6 = (even1 - odd2) >> shift;
        r2 = (even2 + odd1) >> shift;
        r5 = (even2 - odd1) >> shift;
        r3 = (even3 + odd0) >> shift;
        r4 = (even3 - odd0) >> shift;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
        ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7)
    {
        if (!Avx2.IsSupported)
        {
            TransposeInMemory(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
            return;
        }
        Vector256<int> a0 = Avx2.UnpackLow(r0, r1), a1 = Avx2.UnpackHigh(r0, r1), a2 = Avx2.UnpackLow(r2, r3), a3 = Avx2.UnpackHigh(r2, r3);
        Vector256<int> a4 = Avx2.UnpackLow(r4, r5), a5 = Avx2.UnpackHigh(r4, r5), a6 = Avx2.UnpackLow(r6, r7), a7 = Avx2.UnpackHigh(r6, r7);
        Vector256<long> b0 = Avx2.UnpackLow(a0.AsInt64(), a2.AsInt64()), b1 = Avx2.UnpackHigh(a0.AsInt64(), a2.AsInt64());
        Vector256<long> b2 = Avx2.UnpackLow(a1.AsInt64(), a3.AsInt64()), b3 = Avx2.UnpackHigh(a1.AsInt64(), a3.AsInt64());
        Vector256<long> b4 = Avx2.UnpackLow(a4.AsInt64(), a6.AsInt64()), b5 = Avx2.UnpackHigh(a4.AsInt64(), a6.AsInt64());
        Vector256<long> b6 = Avx2.UnpackLow(a5.AsInt64(), a7.AsInt64()), b7 = Avx2.UnpackHigh(a5.AsInt64(), a7.AsInt64());
        r0 = Avx2.Permute2x128(b0, b4, 0x20).AsInt32();
        r1 = Avx2.Permute2x128(b1, b5, 0x20).AsInt32();
        r2 = Avx2.Permute2x128(b2, b6, 0x20).AsInt32();
        r3 = Avx2.Permute2x128(b3, b7, 0x20).AsInt32();
        r4 = Avx2.Permute2x128(b0, b4, 0x31).AsInt32();
        r5 = Avx2.Permute2x128(b1, b5, 0x31).AsInt32();
        r6 = Avx2.Permute2x128(b2, b6, 0x31).AsInt32();
        r7 = Avx2.Permute2x128(b3, b7, 0x31).AsInt32();
    }

    private static void TransposeInMemory(
        ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3,
        ref Vector256<int> r4, ref Vector256<int> r5, ref Vector256<int> r6, ref Vector256<int> r7)
    {
        Span<Vector256<int>> rows = [r0, r1, r2, r3, r4, r5, r6, r7];
        Span<int> cells = MemoryMarshal.Cast<Vector256<int>, int>(rows);
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < y; x++)
                (cells[y * 8 + x], cells[x * 8 + y]) = (cells[x * 8 + y], cells[y * 8 + x]);
        (r0, r1, r2, r3, r4, r5, r6, r7) = (rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> row, Span<byte> samples)
    {
        row = Vector256.Min(Vector256.Max(row + Vector256.Create(128), Vector256<int>.Zero), Vector256.Create(255));
        Vector128<ushort> narrow = Vector128.Narrow(row.GetLower().AsUInt32(), row.GetUpper().AsUInt32());
        Vector128<byte> bytes = Vector128.Narrow(narrow, narrow);
        MemoryMarshal.Write(samples, bytes.AsUInt64().ToScalar());
    }
}
