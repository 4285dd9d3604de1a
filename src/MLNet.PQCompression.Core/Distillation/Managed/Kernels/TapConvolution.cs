using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed.Kernels;

/// <summary>Weighted sums of the taps of a packed image: the forward pass of a convolution and, with other taps and transposed weights, its data gradient.</summary>
internal sealed unsafe class TapConvolution
{
    private readonly Sweep[] _sweeps;
    private readonly int _inputs, _outputs, _taps, _panelBlocks;
    private readonly TileSet[] _sets;
    private readonly int[][][] _tiles;

    /// <summary>Describes the sums.</summary>
    /// <param name="image">The packed image's geometry.</param>
    /// <param name="sweeps">The rectangles of outputs, which together cover every output that has a tap.</param>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="level">The vectors to use.</param>
    public TapConvolution(PackedImage image, Sweep[] sweeps, int inputs, int outputs, SimdLevel level)
    {
        Image = image;
        _sweeps = sweeps;
        _inputs = inputs;
        _outputs = outputs;
        _taps = sweeps.Sum(s => s.Taps.Length);
        _panelBlocks = level == SimdLevel.Vector512 ? 2 : 1;
        _sets = level == SimdLevel.Vector512 ? [TileSet.Single, TileSet.Pair] : [TileSet.Halves];
        _tiles = [.. _sets.Select(set => sweeps.Select(s => ConvolutionTiles.Cut(s.Columns, set)).ToArray())];
    }

    /// <summary>The packed image's geometry.</summary>
    public PackedImage Image { get; }

    /// <summary>Values of the packed weights.</summary>
    public long WeightsLength => (long)_taps * _inputs * OutputBlocks * 16;

    private int OutputBlocks => (_outputs + 15) / 16;

    private int Panels => (OutputBlocks + _panelBlocks - 1) / _panelBlocks;

    /// <summary>Reorders weights into panels of one or two blocks of 16 output channels, missing channels as zero.</summary>
    /// <param name="weights">The weight of tap t, input i and output o at <c>t + i·inputStride + o·outputStride</c>.</param>
    /// <param name="inputStride">Distance between inputs.</param>
    /// <param name="outputStride">Distance between outputs.</param>
    /// <param name="panels">Receives <see cref="WeightsLength"/> values.</param>
    /// <param name="pool">The threads to share.</param>
    public void PackWeights(float* weights, int inputStride, int outputStride, float* panels, WorkerPool pool) => pool.Run(Panels, panel =>
    {
        int width = PanelWidth(panel);
        int firstOutput = panel * _panelBlocks * 16;
        int valid = Math.Min(width, _outputs - firstOutput);
        float* target = panels + PanelOffset(panel);
        foreach (Sweep sweep in _sweeps)
            for (int block = 0; block < _inputs; block += 16)
                foreach (int tap in sweep.Taps)
                    for (int i = block; i < Math.Min(block + 16, _inputs); i++, target += width)
                    {
                        float* source = weights + tap + (long)i * inputStride + (long)firstOutput * outputStride;
                        for (int o = 0; o < valid; o++)
                            target[o] = source[(long)o * outputStride];
                        for (int o = valid; o < width; o++)
                            target[o] = 0;
                    }
    });

    /// <summary>Computes the outputs of one image.</summary>
    /// <param name="packed">The packed image.</param>
    /// <param name="panels">The packed weights.</param>
    /// <param name="bias">One value for each output channel, padded to a multiple of 16, or null.</param>
    /// <param name="output">The outputs, pixel after pixel, at the first channel.</param>
    /// <param name="pixelStride">Values between pixels of the output.</param>
    /// <param name="accumulate">Adds to what is there.</param>
    public void Run(float* packed, float* panels, float* bias, float* output, int pixelStride, bool accumulate)
    {
        var a = new TileArguments
        {
            Blocks = (_inputs + 15) / 16,
            LastBlockChannels = (_inputs - 1) % 16 + 1,
            BlockStride = Image.BlockStride,
            Accumulate = accumulate,
        };
        for (int panel = 0; panel < Panels; panel++)
        {
            int width = PanelWidth(panel);
            int kind = width / 16 - 1;
            a.Weights = panels + PanelOffset(panel);
            a.Bias = bias is null ? null : bias + panel * _panelBlocks * 16;
            for (int s = 0; s < _sweeps.Length; s++)
            {
                Sweep sweep = _sweeps[s];
                fixed (int* offsets = sweep.Offsets)
                {
                    a.Taps = sweep.Taps.Length;
                    a.TapOffsets = offsets;
                    a.PixelStride = sweep.OutputColumnStep * pixelStride;
                    int[] tiles = _tiles[kind][s];
                    for (int row = 0; row < sweep.Rows; row++)
                    {
                        float* x = packed + sweep.InputBase + (long)row * Image.RowStride;
                        float* y = output + (sweep.OutputBase + (long)row * sweep.OutputRowStep) * pixelStride + panel * _panelBlocks * 16;
                        foreach (int tile in tiles)
                        {
                            ConvolutionTiles.Compute(_sets[kind], tile, a, x, y);
                            x += tile * 16;
                            y += (long)tile * a.PixelStride;
                        }
                    }
                    a.Weights += (long)sweep.Taps.Length * _inputs * width;
                }
            }
        }
    }

    private int PanelWidth(int panel) => 16 * Math.Min(_panelBlocks, OutputBlocks - panel * _panelBlocks);

    private long PanelOffset(int panel) => (long)panel * _panelBlocks * 16 * _taps * _inputs;
}
