using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Maximum and mean over sliding windows, tap by tap over whole rows.</summary>
internal static class Pooling
{
    public static void Run(MaxPool op, Activation x, Activation output, WorkerPool? pool) =>
        Planes(op.Window, x, output, pool, float.NegativeInfinity, maximum: true);

    public static void Run(AveragePool op, Activation x, Activation output, WorkerPool? pool)
    {
        Planes(op.Window, x, output, pool, 0, maximum: false);
        Window w = op.Window;
        int[] rows = Counts(output.Shape[2], x.Shape[2], w.KernelHeight, w.StrideY, w.DilationY, w.PadTop, w.PadBottom, op.CountIncludePad);
        int[] columns = Counts(output.Shape[3], x.Shape[3], w.KernelWidth, w.StrideX, w.DilationX, w.PadLeft, w.PadRight, op.CountIncludePad);
        Span<float> y = output.Span;
        for (int i = 0; i < y.Length; i++)
            y[i] /= rows[i / columns.Length % rows.Length] * columns[i % columns.Length];
    }

    /// <summary>For each output position the taps that count: those inside the input, or inside the padded input.</summary>
    internal static int[] Counts(int outputs, int size, int kernel, int stride, int dilation, int before, int after, bool countPadding)
    {
        var counts = new int[outputs];
        for (int o = 0; o < outputs; o++)
        {
            int start = o * stride - before;
            counts[o] = TapsBelow(countPadding ? size + after : size, start, kernel, dilation) - (countPadding ? 0 : TapsBelow(0, start, kernel, dilation));
        }
        return counts;
    }

    /// <summary>How many of a window's taps, from <paramref name="start"/> on, lie before a position.</summary>
    internal static int TapsBelow(int position, int start, int kernel, int dilation) => position <= start ? 0 : Math.Min(kernel, (position - start - 1) / dilation + 1);

    private static void Planes(Window window, Activation x, Activation output, WorkerPool? pool, float start, bool maximum)
    {
        int height = x.Shape[2], width = x.Shape[3], outputHeight = output.Shape[2], outputWidth = output.Shape[3];
        pool.RunParts(output.Shape[0] * output.Shape[1], part =>
        {
            ReadOnlySpan<float> plane = x.Span.Slice(part * height * width, height * width);
            Span<float> target = output.Span.Slice(part * outputHeight * outputWidth, outputHeight * outputWidth);
            target.Fill(start);
            for (int oy = 0; oy < outputHeight; oy++)
                for (int ky = 0; ky < window.KernelHeight; ky++)
                {
                    int y = oy * window.StrideY + ky * window.DilationY - window.PadTop;
                    if ((uint)y >= (uint)height)
                        continue;
                    for (int kx = 0; kx < window.KernelWidth; kx++)
                        AddTap(plane.Slice(y * width, width), kx * window.DilationX - window.PadLeft, window.StrideX, target.Slice(oy * outputWidth, outputWidth), maximum);
                }
        });
    }

    private static void AddTap(ReadOnlySpan<float> source, int offset, int stride, Span<float> row, bool maximum)
    {
        (int first, int end) = PatchExtractor.InsideRange(offset, stride, source.Length, row.Length);
        if (first == end)
            return;
        Span<float> inside = row[first..end];
        if (stride == 1 && maximum)
            TensorPrimitives.Max(inside, source.Slice(first + offset, inside.Length), inside);
        else if (stride == 1)
            TensorPrimitives.Add(inside, source.Slice(first + offset, inside.Length), inside);
        else if (maximum)
            for (int i = 0; i < inside.Length; i++)
                inside[i] = MathF.Max(inside[i], source[(first + i) * stride + offset]);
        else
            for (int i = 0; i < inside.Length; i++)
                inside[i] += source[(first + i) * stride + offset];
    }
}
