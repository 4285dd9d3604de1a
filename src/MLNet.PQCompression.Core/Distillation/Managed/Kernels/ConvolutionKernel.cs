using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>One group of a convolution of fixed size: its output, and the gradients of its input and weight.</summary>
internal sealed unsafe class ConvolutionKernel
{
    private readonly Window _window;
    private readonly int _outputHeight, _outputWidth;
    private readonly bool _gaps;
    private readonly SimdLevel _level;
    private int _gradientOrigin, _gradientRows, _gradientColumns;

    /// <summary>Plans a convolution.</summary>
    /// <param name="window">The window.</param>
    /// <param name="inputs">Input channels of the group.</param>
    /// <param name="outputs">Output channels of the group.</param>
    /// <param name="height">Rows of the input.</param>
    /// <param name="width">Columns of the input.</param>
    /// <param name="level">The vectors to use.</param>
    public ConvolutionKernel(Window window, int inputs, int outputs, int height, int width, SimdLevel level)
    {
        (_window, _level) = (window, level);
        (Inputs, Outputs) = (inputs, outputs);
        (_outputHeight, _outputWidth) = (window.OutputHeight(height), window.OutputWidth(width));
        int reachY = (window.KernelHeight - 1) * window.DilationY;
        int reachX = (window.KernelWidth - 1) * window.DilationX;
        var image = new PackedImage(Blocks(inputs), height, width, window.PadTop, window.PadLeft, window.StrideY, window.StrideX, reachY, reachX, _outputHeight, _outputWidth);
        int[] taps = [.. Enumerable.Range(0, window.KernelHeight * window.KernelWidth)];
        Forward = new(image, [new(taps, [.. taps.Select(t => image.Offset(TapY(t), TapX(t)))], _outputHeight, _outputWidth, 0, 0, _outputWidth, 1)], inputs, outputs, level);
        DataGradient = PlanDataGradient(height, width, reachY, reachX, out _gaps);
    }

    /// <summary>Input channels.</summary>
    public int Inputs { get; }

    /// <summary>Output channels.</summary>
    public int Outputs { get; }

    /// <summary>The output from the packed input.</summary>
    public TapConvolution Forward { get; }

    /// <summary>The input's gradient from the packed gradient of the output.</summary>
    public TapConvolution DataGradient { get; }

    /// <summary>Whether some input pixels meet no tap, so that <see cref="DataGradient"/> leaves them as they were.</summary>
    public bool HasGaps => _gaps;

    /// <summary>Values of the weight gradient as <see cref="AccumulateWeightGradient"/> lays it out: [taps][input, padded to 16][output, padded to 16].</summary>
    public long WeightGradientLength => (long)Taps * Blocks(Inputs) * 16 * GradientRow;

    /// <summary>Values between rows of the weight gradient.</summary>
    public int GradientRow => Blocks(Outputs) * 16;

    private int Taps => _window.KernelHeight * _window.KernelWidth;

    /// <summary>Adds one image's part of the weight gradient.</summary>
    /// <param name="input">The input, packed as <see cref="Forward"/> takes it.</param>
    /// <param name="gradient">The gradient of the output, packed as <see cref="DataGradient"/> takes it.</param>
    /// <param name="sums">The sums so far, laid out as <see cref="WeightGradientLength"/> says.</param>
    public void AccumulateWeightGradient(float* input, float* gradient, float* sums)
    {
        (PackedImage x, PackedImage dy) = (Forward.Image, DataGradient.Image);
        int row = GradientRow;
        for (int block = 0; block < x.Blocks; block++)
            for (int o = 0; o < dy.Blocks; o++)
                for (int tap = 0; tap < Taps; tap++)
                    WeightGradientTile.Accumulate(
                        _level, input + block * x.BlockStride + x.Offset(TapY(tap), TapX(tap)), x.RowStride,
                        gradient + o * dy.BlockStride + _gradientOrigin, dy.RowStride, _gradientRows, _gradientColumns,
                        sums + ((long)tap * x.Blocks + block) * 16 * row + o * 16, row);
    }

    /// <summary>Where the weight gradient of a tap, input and output lies in the sums.</summary>
    public long GradientIndex(int tap, int input, int output) => ((long)tap * Blocks(Inputs) * 16 + input) * GradientRow + output;

    private static int Blocks(int channels) => (channels + 15) / 16;

    private int TapY(int tap) => tap / _window.KernelWidth * _window.DilationY;

    private int TapX(int tap) => tap % _window.KernelWidth * _window.DilationX;

    // Input row y with y + pad = phase + stride·j meets tap t, with t's distance = phase + stride·m, in output row j − m.
    private TapConvolution PlanDataGradient(int height, int width, int reachY, int reachX, out bool gaps)
    {
        Window w = _window;
        int beforeY = reachY / w.StrideY, beforeX = reachX / w.StrideX;
        int stepsY = (height - 1 + w.PadTop) / w.StrideY + 1, stepsX = (width - 1 + w.PadLeft) / w.StrideX + 1;
        var image = new PackedImage(Blocks(Outputs), _outputHeight, _outputWidth, beforeY, beforeX, 1, 1, beforeY, beforeX, stepsY, stepsX);
        // Outputs further out see nothing of the input.
        (_gradientOrigin, _gradientRows, _gradientColumns) = (image.Offset(beforeY, beforeX), Math.Min(_outputHeight, stepsY), Math.Min(_outputWidth, stepsX));
        var sweeps = new List<Sweep>();
        gaps = false;
        (int phasesY, int phasesX) = (Math.Min(w.StrideY, height + w.PadTop), Math.Min(w.StrideX, width + w.PadLeft)); // Further ones meet no input.
        for (int phaseY = 0; phaseY < phasesY; phaseY++)
            for (int phaseX = 0; phaseX < phasesX; phaseX++)
            {
                int firstY = Math.Max(0, (w.PadTop - phaseY + w.StrideY - 1) / w.StrideY), firstX = Math.Max(0, (w.PadLeft - phaseX + w.StrideX - 1) / w.StrideX);
                int rows = Count(height - 1 + w.PadTop - phaseY, w.StrideY) - firstY, columns = Count(width - 1 + w.PadLeft - phaseX, w.StrideX) - firstX;
                if (rows <= 0 || columns <= 0)
                    continue;
                int[] taps = [.. Enumerable.Range(0, Taps).Where(t => TapY(t) % w.StrideY == phaseY && TapX(t) % w.StrideX == phaseX)];
                if (taps.Length == 0)
                {
                    gaps = true;
                    continue;
                }
                int[] offsets = [.. taps.Select(t => image.Offset(beforeY - TapY(t) / w.StrideY, beforeX - TapX(t) / w.StrideX))];
                int y = phaseY + w.StrideY * firstY - w.PadTop, x = phaseX + w.StrideX * firstX - w.PadLeft;
                sweeps.Add(new(taps, offsets, rows, columns, (long)firstY * image.RowStride + firstX * 16, (long)y * width + x, w.StrideY * width, w.StrideX));
            }
        return new(image, [.. sweeps], Outputs, Inputs, _level);
    }

    private static int Count(int last, int stride) => last < 0 ? 0 : last / stride + 1;
}
