using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Tests.Inference;

public sealed unsafe class PanelDecoderTests
{
    public static TheoryData<int, int, int> Cases => new()
    {
        { 1, 1, 256 }, { 2, 1, 7 }, { 4, 1, 256 }, { 4, 2, 2048 }, { 5, 1, 100 }, { 8, 1, 256 }, { 8, 2, 600 }, { 9, 1, 256 }, { 12, 2, 300 }, { 16, 1, 64 }, { 18, 1, 256 }, { 18, 2, 1024 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryElementGoesToItsRow(int blockSize, int bytesPerCode, int codewords)
    {
        const int Blocks = 3;
        var random = new Random(blockSize);
        int stride = (blockSize + 3) & ~3;
        float[] codebook = [.. Enumerable.Range(0, codewords * stride).Select(_ => random.NextSingle())];
        int[] codes = [.. Enumerable.Range(0, Blocks * 32).Select(_ => random.Next(codewords))];
        byte[] bytes = [.. codes.SelectMany(c => bytesPerCode == 1 ? [(byte)c] : BitConverter.GetBytes((ushort)c))];
        int[] rowOf = [.. Enumerable.Range(0, Blocks * blockSize)];
        random.Shuffle(rowOf);
        float[] panel = new float[rowOf.Length * 32], expected = new float[panel.Length];
        fixed (float* book = codebook, target = panel)
        fixed (byte* code = bytes)
        fixed (int* rows = rowOf)
            PanelDecoder.Decode(book, stride, code, bytesPerCode, Blocks, blockSize, rows, target);
        for (int b = 0; b < Blocks; b++)
            for (int e = 0; e < blockSize; e++)
                for (int o = 0; o < 32; o++)
                    expected[rowOf[b * blockSize + e] * 32 + o] = codebook[codes[b * 32 + o] * stride + e];
        Assert.Equal(expected, panel);
    }
}
