using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A fully connected layer: a convolution of 1×1 pixels whose neighbouring pixels are the images of the batch, or, for few images and codewords of 4 or 8
/// values, products straight from the codes.
/// </summary>
internal sealed unsafe class LinearStep<TTile> : Step
    where TTile : struct, IPixelTile
{
    /// <summary>Images for which decoding the weights takes longer than reading the codes once for each.</summary>
    private const int FewImages = 2;

    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly WeightPanels _weights;
    private readonly CodedPanels? _coded;
    private readonly nint[] _offsets;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly long _operations;

    public LinearStep(string name, WeightPanels weights, long operations, PlanValue x, PlanValue y, Fusion fusion)
        : base(name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_x, _y, _residual, _function, _weights, _operations) = (x, y, fusion.Residual, fusion.Function, weights, operations);
        _coded = weights is CodedPanels coded && CodewordDot.Supports(coded.BlockSize) && x.PlaneStride == PlanValue.Block ? coded : null;
        _offsets = GC.AllocateArray<nint>(x.Planes, pinned: true);
        for (int block = 0; block < _offsets.Length; block++)
            _offsets[block] = (nint)block * TileOperands.MaxPixels * PlanValue.Block;
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
    }

    public override string Kernel => "linear";

    public override long Operations => _operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    public override long ThreadScratch => SumsLength + InputLength + _weights.Scratch;

    private static long SumsLength => Workspace.RoundUp(TileOperands.MaxPixels * TileOperands.PanelWidth);

    private long InputLength => Workspace.RoundUp((long)_offsets.Length * TileOperands.MaxPixels * PlanValue.Block);

    public override int Parts(Workspace workspace, int phase) => _weights.Panels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* sums = workspace.ThreadScratch(worker), inputs = sums + SumsLength;
        bool wide = part * 32 + 16 < _y.Channels;
        if (_coded is not null && (workspace.Count <= FewImages || workspace.BatchInvariant))
        {
            for (int image = 0; image < workspace.Count; image++)
                RunFromCodes(workspace, image, part, wide ? 2 : 1, sums);
            ApplyFunction(workspace, part, wide);
            return;
        }
        var tile = new TileOperands
        {
            Offsets = (nint*)Marshal.UnsafeAddrOfPinnedArrayElement(_offsets, 0),
            Runs = _offsets.Length,
            RunLength = PlanValue.Block,
            Panel = _weights.Get(part, inputs + InputLength),
            Sums = sums,
        };
        for (int first = 0; first < workspace.Count; first += TTile.Pixels)
        {
            int pixels = Math.Min(TTile.Pixels, workspace.Count - first);
            for (int p = 0; p < pixels; p++)
            {
                float* x = workspace.Plane(_x, first + p, 0);
                for (int block = 0; block < _offsets.Length; block++)
                    new ReadOnlySpan<float>(x + (long)block * _x.PlaneStride, PlanValue.Block)
                        .CopyTo(new Span<float>(inputs + _offsets[block] + p * PlanValue.Block, PlanValue.Block));
            }
            tile.X = inputs;
            tile.X7 = inputs + 7 * PlanValue.Block;
            float* y = workspace.Plane(_y, first, part * 2), residual = _residual is null ? null : workspace.Plane(_residual, first, part * 2);
            var epilogue = new TileEpilogue
            {
                Y = y,
                Y7 = y + 7 * _y.ImageStride,
                PixelStride = _y.ImageStride,
                BlockStride = _y.PlaneStride,
                Residual = residual,
                Residual7 = residual == null ? null : residual + 7 * _y.ImageStride,
                ResidualBlockStride = _y.PlaneStride,
                Scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, part * 32),
                Bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, part * 32),
                Low = _low,
                High = _high,
            };
            PixelTiles<TTile>.Multiply(PlanValue.Block, pixels, wide, in tile, in epilogue);
        }
        ApplyFunction(workspace, part, wide);
    }

    private void ApplyFunction(Workspace workspace, int panel, bool wide)
    {
        for (int image = 0; _function is not null && image < workspace.Count; image++)
            for (int half = 0; half < (wide ? 2 : 1); half++)
            {
                float* y = workspace.Plane(_y, image, panel * 2 + half);
                _function.Apply(y, y, PlanValue.Block);
            }
    }

    /// <summary>A panel's outputs of one image.</summary>
    private void RunFromCodes(Workspace workspace, int image, int panel, int halves, float* sums)
    {
        int bytes = _coded!.BytesPerCode;
        float* x = workspace.Plane(_x, image, 0);
        for (int half = 0, plane = 2 * panel; half < halves; half++, plane++)
        {
            CodewordDot.Multiply(
                _coded.Codes + ((nint)panel * _coded.Blocks * TileOperands.PanelWidth + half * CodewordDot.Rows) * bytes, bytes, _coded.Blocks, _coded.Codebook, _coded.BlockSize, x, sums);
            var place = new PixelPlace { Target = workspace.Plane(_y, image, plane), Residual = _residual is null ? null : workspace.Plane(_residual, image, plane) };
            new PixelEpilogue
            {
                Scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * PlanValue.Block),
                Bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * PlanValue.Block),
                Low = _low,
                High = _high,
            }.Apply<Float128>(sums, &place);
        }
    }
}
