using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Tests.Inference;

public sealed unsafe class CodeArrangementTests
{
    public static TheoryData<int, int> Sizes => new() { { 1, 1 }, { 7, 9 }, { 8, 8 }, { 32, 16 }, { 40, 13 }, { 64, 24 }, { 100, 31 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void EveryCodeOfAByteGoesToItsPlace(int channels, int blocks)
    {
        byte[] codes = [.. Codes(channels * blocks, 256).Select(c => (byte)c)];
        var panels = new byte[(channels + 31) / 32 * blocks * 32];
        fixed (byte* target = panels)
            CodeArrangement.Bytes(codes, channels, blocks, target);
        Assert.Equal(Expected(codes, channels, blocks), panels);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void EveryWordGoesToItsPlaceInOneByteOrTwo(int channels, int blocks)
    {
        foreach ((int codewords, int bytes) in ((int, int)[])[(200, 1), (1000, 2)])
        {
            ushort[] codes = Codes(channels * blocks, codewords);
            var panels = new byte[(channels + 31) / 32 * blocks * 32 * bytes];
            fixed (byte* target = panels)
                CodeArrangement.Words(new(new(channels, blocks), 1, new float[codewords], codes), bytes, target);
            byte[] expected = bytes == 1 ? Expected([.. codes.Select(c => (byte)c)], channels, blocks)
                : [.. Expected(codes, channels, blocks).SelectMany(BitConverter.GetBytes)];
            Assert.Equal(expected, panels);
        }
    }

    [Theory]
    [InlineData(0, 24)]
    [InlineData(3, 2)]
    [InlineData(5, 19)]
    [InlineData(16, 8)]
    public void CodesInBitPlanesAreTakenFromAnyPlace(int first, int count)
    {
        byte[] low = [.. Codes(24, 256).Select(c => (byte)c)], planes = [0xA5, 0x01, 0x80, 0x3C, 0xFF, 0x00];
        long[] weights = [256, 1000];
        var codes = new ushort[count];
        new BitPlanes(low, planes, weights).Unpack(first, codes);
        Assert.Equal(Enumerable.Range(first, count).Select(i => (ushort)(low[i] + weights.Select((w, p) => w * (planes[i / 8 * 2 + p] >> i % 8 & 1)).Sum())), codes);
    }

    private static ushort[] Codes(int count, int codewords)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => (ushort)random.Next(codewords))];
    }

    private static T[] Expected<T>(T[] codes, int channels, int blocks)
    {
        var panels = new T[(channels + 31) / 32 * blocks * 32];
        for (int o = 0; o < channels; o++)
            for (int b = 0; b < blocks; b++)
                panels[(o / 32 * blocks + b) * 32 + o % 32] = codes[o * blocks + b];
        return panels;
    }
}
