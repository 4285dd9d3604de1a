using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Tests.Inference;

public sealed unsafe class SquareTransposeTests
{
    [Theory]
    [InlineData(16, 16, 16, 16)]
    [InlineData(16, 16, 23, 37)]
    [InlineData(16, 4, 16, 16)]
    [InlineData(4, 16, 20, 16)]
    [InlineData(8, 12, 12, 9)]
    public void RowsBecomeColumnsAndNothingElseIsWritten(int rows, int columns, int fromStride, int toStride)
    {
        float[] from = [.. Enumerable.Range(0, rows * fromStride).Select(i => (float)i)], to = new float[columns * toStride + 1];
        fixed (float* source = from, target = to)
            SquareTranspose.Run(source, fromStride, target, toStride, columns, rows);
        var expected = new float[to.Length];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                expected[j * toStride + i] = from[i * fromStride + j];
        Assert.Equal(expected, to);
    }
}
