using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Convolution of each channel by itself (as many groups as channels), tap by tap over whole rows.</summary>
internal static class DepthwiseConvolution
{
    public static bool Applies(Conv conv, TensorShape input) => conv.Group == input[1] && conv.Group > 1;

    public static void Run(Conv conv, Activation x, Activation weight, Activation? bias, Activation output, WorkerPool? pool)
    {
        TensorShape s = x.Shape, o = output.Shape;
        int multiplier = o[1] / s[1], plane = s[2] * s[3], outputPlane = o[2] * o[3], taps = conv.Window.KernelHeight * conv.Window.KernelWidth;
        pool.RunParts(o[0] * o[1], part =>
        {
            int image = part / o[1], channel = part % o[1];
            Span<float> target = output.Span.Slice(part * outputPlane, outputPlane);
            target.Fill(bias is null ? 0 : bias.Span[channel]);
            RunPlane(
                conv.Window, x.Span.Slice((image * s[1] + channel / multiplier) * plane, plane), s[2], s[3],
                weight.Span.Slice(channel * taps, taps), target, o[2], o[3]);
        });
    }

    private static void RunPlane(
        Window window, ReadOnlySpan<float> plane, int height, int width, ReadOnlySpan<float> weight, Span<float> target, int outputHeight, int outputWidth)
    {
        for (int oy = 0; oy < outputHeight; oy++)
        {
            Span<float> row = target.Slice(oy * outputWidth, outputWidth);
            for (int ky = 0; ky < window.KernelHeight; ky++)
            {
                int y = oy * window.StrideY + ky * window.DilationY - window.PadTop;
                if ((uint)y >= (uint)height)
                    continue;
                ReadOnlySpan<float> source = plane.Slice(y * width, width);
                for (int kx = 0; kx < window.KernelWidth; kx++)
                    AddTap(source, weight[ky * window.KernelWidth + kx], kx * window.DilationX - window.PadLeft, window.StrideX, row);
            }
        }
    }

    private static void AddTap(ReadOnlySpan<float> source, float weight, int offset, int stride, Span<float> row)
    {
        (int first, int end) = PatchExtractor.InsideRange(offset, stride, source.Length, row.Length);
        if (stride == 1)
        {
            Span<float> inside = row[first..end];
            if (inside.Length > 0)
                TensorPrimitives.MultiplyAdd(source.Slice(first + offset, inside.Length), weight, inside, inside);
            return;
        }
        for (int ox = first; ox < end; ox++)
            row[ox] += weight * source[ox * stride + offset];
    }
}
