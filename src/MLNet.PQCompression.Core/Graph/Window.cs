namespace MLNet.PQCompression.Graph;

/// <summary>A window that slides over the two spatial dimensions of an N×C×H×W tensor.</summary>
/// <param name="KernelHeight">Height of the window.</param>
/// <param name="KernelWidth">Width of the window.</param>
/// <param name="StrideY">Vertical step.</param>
/// <param name="StrideX">Horizontal step.</param>
/// <param name="PadTop">Rows added above.</param>
/// <param name="PadLeft">Columns added to the left.</param>
/// <param name="PadBottom">Rows added below.</param>
/// <param name="PadRight">Columns added to the right.</param>
/// <param name="DilationY">Vertical distance between taps.</param>
/// <param name="DilationX">Horizontal distance between taps.</param>
/// <remarks>
/// Any values can be written down here. <see cref="ShapeInference"/> refuses those that no kernel may see: sizes, steps and distances below 1, negative padding,
/// and a window larger than the padded input.
/// </remarks>
public readonly record struct Window(
    int KernelHeight, int KernelWidth, int StrideY = 1, int StrideX = 1,
    int PadTop = 0, int PadLeft = 0, int PadBottom = 0, int PadRight = 0,
    int DilationY = 1, int DilationX = 1)
{
    /// <summary>A square window with equal padding on all sides.</summary>
    public static Window Square(int kernel, int stride = 1, int pad = 0, int dilation = 1) =>
        new(kernel, kernel, stride, stride, pad, pad, pad, pad, dilation, dilation);

    /// <summary>Output height for an input height, 0 where the window is larger; with <paramref name="ceil"/> as ONNX defines ceil_mode (a window may not start in the end padding).</summary>
    /// <exception cref="OverflowException">The padded height does not fit 32 bits.</exception>
    public int OutputHeight(int height, bool ceil = false) => checked((int)Size(height, KernelHeight, StrideY, PadTop, PadBottom, DilationY, ceil));

    /// <summary>Output width for an input width; see <see cref="OutputHeight"/>.</summary>
    /// <exception cref="OverflowException">The padded width does not fit 32 bits.</exception>
    public int OutputWidth(int width, bool ceil = false) => checked((int)Size(width, KernelWidth, StrideX, PadLeft, PadRight, DilationX, ceil));

    /// <summary>Whether the sizes, steps and distances are positive and the padding is not negative.</summary>
    internal bool IsValid => KernelHeight > 0 && KernelWidth > 0 && StrideY > 0 && StrideX > 0 && DilationY > 0 && DilationX > 0
        && PadTop >= 0 && PadLeft >= 0 && PadBottom >= 0 && PadRight >= 0;

    /// <summary>Rows of the input with its padding.</summary>
    internal long PaddedHeight(int height) => (long)height + PadTop + PadBottom;

    /// <summary>Columns of the input with its padding.</summary>
    internal long PaddedWidth(int width) => (long)width + PadLeft + PadRight;

    // In 64 bits: a dilation of 2²⁰ times 4,096 taps is 0 in 32.
    private static long Size(long size, long kernel, long stride, long before, long after, long dilation, bool ceil)
    {
        long room = size + before + after - (dilation * (kernel - 1) + 1);
        if (room < 0)
            return 0;
        long steps = room / stride;
        if (ceil && room % stride != 0 && (steps + 1) * stride < size + before)
            steps++;
        return steps + 1;
    }
}
