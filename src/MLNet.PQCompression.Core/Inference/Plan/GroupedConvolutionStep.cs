using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A convolution in groups, from blocked values to blocked values. 16 outputs read the blocks in which the channels of their groups lie; the weights of those
/// channels of the blocks that an output does not read are zeros, so that the kernel is that of a convolution without groups.
/// </summary>
internal sealed unsafe class GroupedConvolutionStep<TTile> : Step
    where TTile : struct, IPixelTile
{
    private const int Block = PlanValue.Block, Width = TileOperands.PanelWidth;

    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly ConvolutionNode _node;
    private readonly WeightPanels _weights;
    private readonly nint[] _offsets;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly int _taps, _blocks, _groupInputs, _groupOutputs, _tiles;

    public GroupedConvolutionStep(ConvolutionNode node, Initializer weight, WeightStore store, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _x, _y, _residual, _function) = (node, x, y, fusion.Residual, fusion.Function);
        Window w = node.Window;
        (_groupInputs, _groupOutputs, _taps) = (weight.Shape[1], y.Channels / node.Group, w.KernelHeight * w.KernelWidth);
        _weights = WeightPanels.Create(node.Name, weight, _groupInputs * _taps, flat => flat, store);
        for (int plane = 0; plane < y.Planes; plane++)
            _blocks = Math.Max(_blocks, LastBlock(plane) - FirstBlock(plane) + 1);
        _offsets = GC.AllocateArray<nint>(_blocks * _taps, pinned: true);
        for (int i = 0; i < _offsets.Length; i++)
        {
            int tap = i % _taps;
            _offsets[i] = (nint)(i / _taps) * x.PlaneStride + (nint)(tap / w.KernelWidth * w.DilationY - w.PadTop) * x.RowStride + (nint)(tap % w.KernelWidth * w.DilationX - w.PadLeft) * x.Lanes;
        }
        (_scale, _bias) = fusion.Pinned(_weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
        _tiles = (y.Width + TTile.Pixels - 1) / TTile.Pixels;
    }

    public override string Kernel => "grouped";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>A tile's sums, the weights of 32 outputs as they are and spread over the blocks that 16 of them read.</summary>
    public override long ThreadScratch => SumsLength + _weights.Scratch + SpreadLength;

    private static long SumsLength => Workspace.RoundUp(TileOperands.MaxPixels * Width);

    private long SpreadLength => (long)_offsets.Length * Block * Width;

    /// <summary>Whether there is a kernel for a stride and whether the groups are few enough blocks wide that the zeros do not outweigh them.</summary>
    public static bool Applies(Conv conv, TensorShape input, TensorShape weight, int stride)
    {
        int outputs = weight[0] / conv.Group, inputs = weight[1];
        // 16 outputs of groups that are no multiple of theirs read at most one group more.
        int read = Math.Min(input[1], (outputs >= Block ? outputs % Block == 0 ? 1 : 2 : Block / outputs + (Block % outputs == 0 ? 0 : 2)) * inputs);
        return PixelTiles<TTile>.Supports(stride) && (read + Block - 1) / Block * Block <= 8 * inputs;
    }

    public override int Parts(Workspace workspace, int phase) => _y.Planes;

    private int FirstBlock(int plane) => plane * Block / _groupOutputs * _groupInputs / Block;

    private int LastBlock(int plane) => ((Math.Min(plane * Block + Block, _y.Channels) - 1) / _groupOutputs * _groupInputs + _groupInputs - 1) / Block;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* sums = workspace.ThreadScratch(worker), spread = sums + SumsLength, decoded = spread + SpreadLength;
        // A block beyond the input's last would be read where its weights are zeros; the reading starts so much earlier.
        int first = Math.Min(FirstBlock(part), _x.Planes - _blocks);
        Spread(_weights.Get(part / 2, decoded) + part % 2 * Block, part, first, spread);
        var tile = new TileOperands
        {
            Offsets = (nint*)Marshal.UnsafeAddrOfPinnedArrayElement(_offsets, 0),
            Runs = _offsets.Length,
            RunLength = Block,
            Panel = spread,
            Sums = sums,
        };
        var epilogue = new TileEpilogue
        {
            PixelStride = Block,
            Scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, part * Block),
            Bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, part * Block),
            Low = _low,
            High = _high,
        };
        int stride = _node.Window.StrideX * Block;
        for (int image = 0; image < workspace.Count; image++)
        {
            workspace.ClearBorder(_y, image, part);
            for (int row = 0; row < _y.Height; row++)
            {
                float* x = workspace.Pixel(_x, image, first, row * _node.Window.StrideY, 0), y = workspace.Pixel(_y, image, part, row, 0);
                float* residual = _residual is null ? null : workspace.Pixel(_residual, image, part, row, 0);
                for (int i = 0, start = 0, pixels; i < _tiles; i++, start += pixels)
                {
                    pixels = (int)((long)_y.Width * (i + 1) / _tiles) - start;
                    tile.X = x + (nint)start * stride;
                    tile.X7 = tile.X + 7 * stride;
                    epilogue.Y = y + start * Block;
                    epilogue.Y7 = epilogue.Y + 7 * Block;
                    epilogue.Residual = residual == null ? null : residual + start * Block;
                    epilogue.Residual7 = residual == null ? null : epilogue.Residual + 7 * Block;
                    PixelTiles<TTile>.Multiply(stride, pixels, false, in tile, in epilogue);
                    _function?.Apply(epilogue.Y, epilogue.Y, pixels * Block);
                }
            }
        }
    }

    /// <summary>Puts each output's weights into the rows of its group's channels; all other rows are zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread(float* compact, int plane, int first, float* spread)
    {
        new Span<float>(spread, checked((int)SpreadLength)).Clear();
        for (int lane = 0; lane < Block && plane * Block + lane < _y.Channels; lane++)
        {
            int channel = (plane * Block + lane) / _groupOutputs * _groupInputs - first * Block;
            float* from = compact + lane;
            for (int c = 0; c < _groupInputs; c++, channel++)
                for (int tap = 0; tap < _taps; tap++, from += Width)
                    spread[((nint)(channel / Block * _taps + tap) * Block + channel % Block) * Width + lane] = *from;
        }
    }
}
