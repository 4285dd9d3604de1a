using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A convolution without groups, computed by the definition from blocked values or planes to blocked values.</summary>
internal sealed unsafe class DirectConvolutionStep<TTile> : Step, IConvolutionKernel
    where TTile : struct, IPixelTile
{
    /// <summary>Tiles of a part, which share one decoded panel, at least.</summary>
    private const int TilesPerPart = 24;

    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly ConvolutionNode _node;
    private readonly ReadingOrder _order;
    private readonly WeightPanels _weights;
    private readonly nint[] _offsets;
    private readonly float[] _scale, _bias;
    private readonly int _units, _unitRows, _unitWidth, _tilesPerUnit;

    public DirectConvolutionStep(ConvolutionNode node, WeightPanels weights, ReadingOrder order, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _order, _weights, _x, _y, _residual, _function) = (node, order, weights, x, y, fusion.Residual, fusion.Function);
        _offsets = GC.AllocateArray<nint>(order.Offsets.Length, pinned: true);
        order.Offsets.CopyTo(_offsets, 0);
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (Low, High) = (fusion.Low, fusion.High);
        bool pointwise = node.Window is { KernelHeight: 1, KernelWidth: 1, StrideX: 1, StrideY: 1 } && x.IsFlat && y.IsFlat && _residual is null or { IsFlat: true };
        if (pointwise && x.IsFlat && y.IsFlat)
            (_units, _unitRows, _unitWidth) = (1, y.Height, y.Height * y.Width);
        else if (y.Width == 7 && TTile.Pixels == 14)
            (_units, _unitRows, _unitWidth) = ((y.Height + 1) / 2, 2, 7);
        else
            (_units, _unitRows, _unitWidth) = (y.Height, 1, y.Width);
        _tilesPerUnit = _unitWidth == 7 && _unitRows == 2 ? 1 : (_unitWidth + TTile.Pixels - 1) / TTile.Pixels;
    }

    public float Low { get; }

    public float High { get; }

    public override string Kernel => "direct";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    public override long ThreadScratch => Workspace.RoundUp(TileOperands.MaxPixels * TileOperands.PanelWidth) + _weights.Scratch;

    /// <inheritdoc/>
    public double Cost(int batch)
    {
        double lanes = TTile.Pixels == 14 ? 16 : 8, outputs = (double)batch * _y.Height * _y.Width * _weights.Panels * 32 / lanes;
        return outputs * (_weights.Rows / 0.95 + 8) + (double)_weights.Rows * _weights.Panels * 32 * Chunks(batch) * 0.5;
    }

    private int Stride => _node.Window.StrideX * _x.Lanes;

    public override int Parts(Workspace workspace, int phase) => _weights.Panels * Chunks(workspace.Count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        int chunks = Chunks(workspace.Count), panel = part / chunks, chunk = part % chunks;
        bool wide = panel * 32 + 16 < _y.Channels;
        if (chunk == 0)
            for (int image = 0; image < workspace.Count; image++)
                for (int half = 0; half < (wide ? 2 : 1); half++)
                    workspace.ClearBorder(_y, image, panel * 2 + half);
        float* sums = workspace.ThreadScratch(worker);
        float* decoded = sums + Workspace.RoundUp(TileOperands.MaxPixels * TileOperands.PanelWidth);
        bool kept = workspace.Keeps(worker, panel) && _weights.Scratch > 0;
        var tile = new TileOperands
        {
            Offsets = (nint*)Marshal.UnsafeAddrOfPinnedArrayElement(_offsets, 0),
            Runs = _offsets.Length,
            RunLength = _order.RunLength,
            Panel = kept ? decoded : _weights.Get(panel, decoded),
            Sums = sums,
        };
        var epilogue = new TileEpilogue
        {
            PixelStride = _y.Lanes,
            BlockStride = _y.PlaneStride,
            ResidualBlockStride = _residual?.PlaneStride ?? 0,
            Scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, panel * 32),
            Bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, panel * 32),
            Low = Low,
            High = High,
        };
        long total = (long)workspace.Count * _units;
        int end = (int)(total * (chunk + 1) / chunks);
        for (int unit = (int)(total * chunk / chunks); unit < end; unit++)
            RunUnit(workspace, unit / _units, panel, unit % _units, wide, ref tile, ref epilogue);
    }

    /// <summary>The function of a tile's outputs, which have just been stored.</summary>
    private void ApplyFunction(ref readonly TileEpilogue epilogue, int pixels, bool pair, bool wide)
    {
        for (int half = 0; half < (wide ? 2 : 1); half++)
        {
            float* y = epilogue.Y + half * epilogue.BlockStride, y7 = epilogue.Y7 + half * epilogue.BlockStride;
            _function!.Apply(y, y, (pair ? 7 : pixels) * PlanValue.Block);
            if (pair)
                _function.Apply(y7, y7, 7 * PlanValue.Block);
        }
    }

    private int Chunks(int batch) =>
        (int)Math.Clamp((long)batch * _units * _tilesPerUnit / TilesPerPart, 1, 64);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunUnit(Workspace workspace, int image, int panel, int unit, bool wide, ref TileOperands tile, ref TileEpilogue epilogue)
    {
        int row = _unitWidth == _y.Width ? unit * _unitRows : 0;
        bool pair = _unitRows == 2 && _unitWidth == 7 && row + 1 < _y.Height;
        float* x = workspace.Pixel(_x, image, 0, row * _node.Window.StrideY, 0);
        float* y = workspace.Pixel(_y, image, panel * 2, row, 0);
        float* residual = _residual is null ? null : workspace.Pixel(_residual, image, panel * 2, row, 0);
        int stride = Stride;
        for (int i = 0, start = 0, pixels; i < _tilesPerUnit; i++, start += pixels)
        {
            pixels = pair ? 14 : (int)((ulong)(uint)_unitWidth * (uint)(i + 1) / (uint)_tilesPerUnit) - start;
            tile.X = x + (nint)start * stride;
            epilogue.Y = y + (nint)start * _y.Lanes;
            epilogue.Residual = residual == null ? null : residual + (nint)start * _y.Lanes;
            tile.X7 = tile.X + (pair ? (nint)_node.Window.StrideY * _x.RowStride : 7 * stride);
            epilogue.Y7 = epilogue.Y + (pair ? _y.RowStride : 7 * _y.Lanes);
            epilogue.Residual7 = residual == null ? null : epilogue.Residual + (pair ? _residual!.RowStride : 7 * _y.Lanes);
            PixelTiles<TTile>.Multiply(stride, pixels, wide, in tile, in epilogue);
            if (_function is not null)
                ApplyFunction(in epilogue, pixels, pair, wide);
        }
    }
}
