using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Numerics;

public sealed class HalfFloatsTests
{
    [Theory]
    [InlineData(1f)]
    [InlineData(0.25f)]
    [InlineData(1024f)]
    public void Every_float16_comes_back(float scale)
    {
        ushort[] halves = [.. Enumerable.Range(0, 1 << 16).Select(b => (ushort)b).Where(b => Half.IsFinite(BitConverter.UInt16BitsToHalf(b)))];
        var floats = new float[halves.Length];
        HalfFloats.ToSingle(halves, 1, floats);
        Assert.Equal(halves.Select(h => (float)BitConverter.UInt16BitsToHalf(h)), floats);
        HalfFloats.ToSingle(halves, scale, floats);
        Assert.Equal(halves.Select(h => (float)BitConverter.UInt16BitsToHalf(h) * scale), floats);
        var back = new ushort[halves.Length];
        Assert.Equal(65504 * scale, HalfFloats.FromSingle(floats, 1 / scale, back));
        Assert.Equal(halves, back);
    }

    [Fact]
    public void Float32_is_rounded_as_the_framework_rounds()
    {
        // Each pattern of bits but some thousand, near ties and in float16's subnormal range too.
        float[] floats = [.. Enumerable.Range(0, 1_000_003).Select(i => BitConverter.UInt32BitsToSingle((uint)i * 4289)).Where(float.IsFinite)];
        float[] ties = [.. Enumerable.Range(0, 1 << 15).Where(b => b < 0x7BFF).Select(b => ((float)BitConverter.UInt16BitsToHalf((ushort)b) + (float)BitConverter.UInt16BitsToHalf((ushort)(b + 1))) / 2)];
        float[] all = [.. floats, .. ties, .. ties.Select(MathF.BitIncrement), .. ties.Select(MathF.BitDecrement), 65519.99f, 65520f, -1e30f, 0f, -0f];
        var rounded = new ushort[all.Length];
        HalfFloats.FromSingle(all, 1, rounded);
        Assert.Equal(all.Select(f => BitConverter.HalfToUInt16Bits((Half)f)), rounded);
    }

    [Theory]
    [InlineData(float.NaN, 3)]
    [InlineData(float.NaN, 39)]
    [InlineData(float.NegativeInfinity, 17)]
    public void What_is_no_finite_number_stays_none_and_shows_in_the_largest(float value, int position)
    {
        var floats = new float[40];
        floats[position] = value;
        var rounded = new ushort[40];
        Assert.False(float.IsFinite(HalfFloats.FromSingle(floats, 1, rounded)));
        Assert.False(Half.IsFinite(BitConverter.UInt16BitsToHalf(rounded[position])));
        Assert.Equal(1, rounded.Count(r => r != 0));
    }
}
