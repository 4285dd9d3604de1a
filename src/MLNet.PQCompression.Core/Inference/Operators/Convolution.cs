using System.Buffers;
using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>2-D convolution as a matrix product: weight [C_out/g, C/g·kh·kw] times the unfolded image [C/g·kh·kw, positions], group by group.</summary>
internal static class Convolution
{
    /// <summary>Columns below which several images are joined into one product.</summary>
    private const int JoinedColumns = 256;

    /// <summary>Values of an unfolded image above which it is unfolded strip by strip: a 9×9 kernel over 16 channels of 720×720 pixels would be 2.7 GB.</summary>
    private const long MostUnfolded = 1 << 26;

    /// <summary>Values of an unfolded strip, about.</summary>
    private const long UnfoldedStrip = 1 << 24;

    public static void Run(Conv conv, Activation x, Activation weight, Activation? bias, Activation output, WorkerPool? pool)
    {
        TensorShape s = x.Shape;
        int batch = s[0], positions = output.Shape[2] * output.Shape[3];
        int images = Math.Clamp((JoinedColumns + positions - 1) / positions, 1, batch);
        int chunks = (batch + images - 1) / images, tasks = chunks * conv.Group;
        bool shareTasks = pool is not null && tasks >= pool.Threads;
        (shareTasks ? pool : null).RunParts(tasks, task =>
        {
            int first = task / conv.Group * images;
            RunGroup(conv, x, weight, bias, output, task % conv.Group, first, Math.Min(images, batch - first), shareTasks ? null : pool);
        });
    }

    private static void RunGroup(
        Conv conv, Activation x, Activation weight, Activation? bias, Activation output, int group, int first, int images, WorkerPool? pool)
    {
        (int height, int width) = (x.Shape[2], x.Shape[3]);
        int channels = x.Shape[1] / conv.Group, outputs = output.Shape[1] / conv.Group;
        var patches = new PatchExtractor(channels, height, width, conv.Window);
        int positions = patches.Positions, columns = positions * images, depth = patches.PatchLength;
        Window w = conv.Window;
        bool direct = images == 1 && w is { KernelHeight: 1, KernelWidth: 1, StrideY: 1, StrideX: 1, PadTop: 0, PadLeft: 0, PadBottom: 0, PadRight: 0 };
        bool inStrips = images == 1 && !direct && (long)depth * columns > MostUnfolded;
        if (!TensorSize.Fits(columns, outputs) || !TensorSize.Fits(inStrips ? patches.OutputWidth : columns, depth))
            throw new InvalidModelException($"A convolution of {depth} inputs to {positions} positions takes more values than an array holds; give smaller images.");
        ReadOnlyMemory<float> rows = weight.Memory.Slice(group * outputs * depth, outputs * depth);
        if (inStrips)
        {
            for (int o = 0; o < outputs; o++)
                Output(0).Span.Slice(o * positions, positions).Fill(bias is null ? 0 : bias.Span[group * outputs + o]);
            AddStrips(w, patches, Input(0), channels, height, width, rows.Span, Output(0), outputs, pool);
            return;
        }
        float[] unfolded = direct ? [] : ArrayPool<float>.Shared.Rent(depth * columns);
        float[] product = images == 1 ? [] : ArrayPool<float>.Shared.Rent(outputs * columns);
        Memory<float> Input(int image) => x.Memory.Slice(((first + image) * x.Shape[1] + group * channels) * height * width, channels * height * width);
        Memory<float> Output(int image) => output.Memory.Slice(((first + image) * output.Shape[1] + group * outputs) * positions, outputs * positions);
        if (!direct)
        {
            int taps = w.KernelHeight * w.KernelWidth;
            pool.RunParts(images * channels, part => patches.Unfold(
                Input(part / channels).Span, part % channels, 1, unfolded.AsSpan(part % channels * taps * columns + part / channels * positions), columns));
        }
        ReadOnlySpan<float> b = direct ? Input(0).Span : unfolded;
        Span<float> c = images == 1 ? Output(0).Span : product;
        MatrixProduct.Multiply(false, false, outputs, columns, depth, rows.Span, depth, b, columns, 0, c, columns, pool);
        for (int image = 0; image < images; image++)
        {
            Span<float> target = Output(image).Span;
            for (int o = 0; o < outputs; o++)
            {
                Span<float> plane = target.Slice(o * positions, positions);
                if (images > 1)
                    c.Slice(o * columns + image * positions, positions).CopyTo(plane);
                if (bias is not null)
                    TensorPrimitives.Add(plane, bias.Span[group * outputs + o], plane);
            }
        }
        if (!direct)
            ArrayPool<float>.Shared.Return(unfolded);
        if (images > 1)
            ArrayPool<float>.Shared.Return(product);
    }

    /// <summary>Adds the outputs of one image, some rows of them at a time.</summary>
    private static void AddStrips(
        Window w, PatchExtractor whole, ReadOnlyMemory<float> image, int channels, int height, int width, ReadOnlySpan<float> weight, Memory<float> output, int outputs, WorkerPool? pool)
    {
        int depth = whole.PatchLength, taps = w.KernelHeight * w.KernelWidth, most = (int)Math.Clamp(UnfoldedStrip / ((long)depth * whole.OutputWidth), 1, whole.OutputHeight);
        Window window = w with { PadTop = 0, PadBottom = 0 };
        for (int first = 0; first < whole.OutputHeight; first += most)
        {
            // The rows that the strip sees, with zeros where they lie outside.
            int count = Math.Min(most, whole.OutputHeight - first), top = first * w.StrideY - w.PadTop;
            long rows = (count - 1L) * w.StrideY + (w.KernelHeight - 1L) * w.DilationY + 1;
            if (!TensorSize.Fits(channels, rows, width))
                throw new InvalidModelException($"A convolution sees {rows} rows of {width} values in {channels} channels at once, more than an array holds; give smaller images.");
            var seen = (int)rows;
            var strip = new float[channels * seen * width];
            for (int c = 0; c < channels; c++)
                for (int row = Math.Max(0, -top); row < seen && top + row < height; row++)
                    image.Span.Slice((c * height + top + row) * width, width).CopyTo(strip.AsSpan((c * seen + row) * width));
            var patches = new PatchExtractor(channels, seen, width, window);
            int columns = patches.Positions;
            float[] unfolded = ArrayPool<float>.Shared.Rent(depth * columns), product = ArrayPool<float>.Shared.Rent(outputs * columns);
            pool.RunParts(channels, c => patches.Unfold(strip, c, 1, unfolded.AsSpan(c * taps * columns), columns));
            MatrixProduct.Multiply(false, false, outputs, columns, depth, weight, depth, unfolded, columns, 0, product, columns, pool);
            for (int o = 0; o < outputs; o++)
            {
                Span<float> target = output.Span.Slice(o * whole.Positions + first * whole.OutputWidth, columns);
                TensorPrimitives.Add(target, product.AsSpan(o * columns, columns), target);
            }
            ArrayPool<float>.Shared.Return(unfolded);
            ArrayPool<float>.Shared.Return(product);
        }
    }
}
