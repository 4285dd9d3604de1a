using System.Buffers;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Transposed convolution as a matrix product and a scatter: weightᵀ [C_out/g·kh·kw, C/g] times the image [C/g, H·W], each row added to the output at its tap.</summary>
internal static class TransposedConvolution
{
    public static void Run(ConvTranspose conv, Activation x, Activation weight, Activation? bias, Activation output, WorkerPool? pool)
    {
        TensorShape s = x.Shape, o = output.Shape;
        int channels = s[1] / conv.Group, outputs = o[1] / conv.Group, plane = s[2] * s[3], outputPlane = o[2] * o[3];
        Window w = conv.Window;
        int taps = w.KernelHeight * w.KernelWidth, rows = checked(outputs * taps);
        for (int task = 0; task < s[0] * conv.Group; task++)
        {
            int image = task / conv.Group, group = task % conv.Group;
            float[] columns = ArrayPool<float>.Shared.Rent(checked(rows * plane));
            MatrixProduct.Multiply(
                true, false, rows, plane, channels, weight.Span.Slice(group * channels * rows, channels * rows), rows,
                x.Span.Slice((image * s[1] + group * channels) * plane, channels * plane), plane, 0, columns, plane, pool);
            pool.RunParts(outputs, c =>
            {
                int channel = group * outputs + c;
                Span<float> target = output.Span.Slice((image * o[1] + channel) * outputPlane, outputPlane);
                target.Fill(bias is null ? 0 : bias.Span[channel]);
                for (int tap = 0; tap < taps; tap++)
                    Scatter(
                        columns.AsSpan((c * taps + tap) * plane, plane), s[2], s[3], target, o[2], o[3],
                        tap / w.KernelWidth * w.DilationY - w.PadTop, tap % w.KernelWidth * w.DilationX - w.PadLeft, w.StrideY, w.StrideX);
            });
            ArrayPool<float>.Shared.Return(columns);
        }
    }

    private static void Scatter(
        ReadOnlySpan<float> from, int height, int width, Span<float> to, int outputHeight, int outputWidth, int offsetY, int offsetX, int strideY, int strideX)
    {
        (int firstRow, int endRow) = PatchExtractor.InsideRange(offsetY, strideY, outputHeight, height);
        (int first, int end) = PatchExtractor.InsideRange(offsetX, strideX, outputWidth, width);
        for (int y = firstRow; y < endRow; y++)
        {
            ReadOnlySpan<float> row = from.Slice(y * width, width);
            Span<float> target = to.Slice((y * strideY + offsetY) * outputWidth, outputWidth);
            for (int i = first; i < end; i++)
                target[i * strideX + offsetX] += row[i];
        }
    }
}
