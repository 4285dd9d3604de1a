using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Maximum and mean over windows with ONNX's padding, uneven or rounded up: the input is brought to exactly what the windows cover.</summary>
internal static class Pools
{
    public static Tensor Maximum(MaxPool pool, Tensor x, TensorShape shape) =>
        F.max_pool2d(Cover(pool.Window, x, shape, double.NegativeInfinity), Size(pool.Window), Stride(pool.Window), [0, 0], [pool.Window.DilationY, pool.Window.DilationX]);

    public static Tensor Mean(AveragePool pool, Tensor x, TensorShape shape)
    {
        Window w = pool.Window;
        (long height, long width, long channels) = (x.shape[2], x.shape[3], x.shape[1]);
        int[] rows = Pooling.Counts(shape[2], (int)height, w.KernelHeight, w.StrideY, w.DilationY, w.PadTop, w.PadBottom, pool.CountIncludePad);
        int[] columns = Pooling.Counts(shape[3], (int)width, w.KernelWidth, w.StrideX, w.DilationX, w.PadLeft, w.PadRight, pool.CountIncludePad);
        float[] counts = [.. rows.SelectMany(r => columns.Select(c => (float)(r * c)))];
        Tensor covered = Cover(w, x, shape, 0);
        Tensor sums = (w.DilationY, w.DilationX) == (1, 1)
            ? F.avg_pool2d(covered, Size(w), Stride(w), [0, 0], false, true, 1)
            : F.conv2d(covered, ones([channels, 1, w.KernelHeight, w.KernelWidth], x.dtype, x.device), null, Stride(w), [0, 0], [w.DilationY, w.DilationX], channels);
        return sums.div(HostMemory.Upload<float>(counts, [1, 1, shape[2], shape[3]], x.device));
    }

    private static Tensor Cover(Window w, Tensor x, TensorShape shape, double value)
    {
        long height = (shape[2] - 1L) * w.StrideY + w.DilationY * (w.KernelHeight - 1L) + 1, width = (shape[3] - 1L) * w.StrideX + w.DilationX * (w.KernelWidth - 1L) + 1;
        long[] padding = [w.PadLeft, width - w.PadLeft - x.shape[3], w.PadTop, height - w.PadTop - x.shape[2]];
        return padding.All(p => p == 0) ? x : F.pad(x, padding, PaddingModes.Constant, value);
    }

    private static long[] Size(Window w) => [w.KernelHeight, w.KernelWidth];

    private static long[] Stride(Window w) => [w.StrideY, w.StrideX];
}
