using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A 3×3 convolution of stride 1 by F(4×4, 3×3) for images of few tiles: the lanes of a register are positions ξ of one transformed tile instead of the same
/// position of 16 tiles, so four tiles suffice to fill the registers. It needs the 32 registers of AVX-512.
/// </summary>
/// <remarks>
/// Two phases for each image: transform the inputs and, once, the codebook, V [group, C_in, tiles, ξ] and U [codewords, filters, ξ]; then, for 16 outputs and
/// four tiles, multiply and transform back. The positions lie as two groups of 16 and one of 4 (<see cref="FilterProduct"/>).
/// </remarks>
internal sealed unsafe class FilterWinogradStep : Step, IConvolutionKernel
{
    private const int Lanes = PlanValue.Block, Tiles = FilterProduct.Tiles, Positions = 36;

    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly CodedPanels _weights;
    private readonly WinogradTiles<Winograd4> _tiles;
    private readonly nint _residualRowStride;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly int _filters, _inputs;

    public FilterWinogradStep(ConvolutionNode node, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _weights, _x, _y) = (node, weights, x, y);
        _tiles = new(x, y, fusion.Residual);
        _residualRowStride = fusion.Residual?.RowStride ?? 0;
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
        (_filters, _inputs) = (weights.BlockSize / 9, x.Planes * Lanes);
    }

    public override string Kernel => "Winograd 4×4, filters";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>U, and V of an image.</summary>
    public override long SharedScratch => TableLength + Groups * GroupLength;

    /// <summary>A tile in passing twice, a transformed tile of 16 channels or codewords, the sums of 16 outputs.</summary>
    public override long ThreadScratch => 3 * Positions * Lanes + Lanes * Tiles * Positions;

    /// <summary>Groups of four tiles in an image.</summary>
    private int Groups => (_tiles.PerImage + Tiles - 1) / Tiles;

    /// <summary>Parts of the codebook's transformation.</summary>
    private int Tables => _weights.PaddedCodewords / Lanes * _filters;

    private nint TableLength => (nint)_weights.PaddedCodewords * _filters * Positions;

    private nint GroupLength => (nint)_inputs * Tiles * Positions;

    /// <inheritdoc/>
    public double Cost(int batch) => (double)batch * Groups * Tiles * Positions * ((double)_inputs * _y.Planes / 0.92 + 18.0 * (_x.Planes + _y.Planes));

    public override int Phases(Workspace workspace) => 2 * workspace.Count;

    public override int Parts(Workspace workspace, int phase) => Groups * (phase % 2 == 0 ? _x.Planes : _y.Planes) + (phase == 0 ? Tables : 0);

    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* table = workspace.SharedScratch, v = table + TableLength, scratch = workspace.ThreadScratch(worker);
        int image = phase / 2;
        if (phase % 2 == 1)
            Multiply(workspace, image, part / _y.Planes, part % _y.Planes, table, v, scratch);
        else if (part < Groups * _x.Planes)
            TransformInputs(workspace, image, part / _x.Planes, part % _x.Planes, v, scratch);
        else
            TransformCodebook((part - Groups * _x.Planes) % _filters, (part - Groups * _x.Planes) / _filters * Lanes, table, scratch);
    }

    /// <summary>U = G g Gᵀ of one filter of 16 codewords.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformCodebook(int filter, int codeword, float* table, float* scratch)
    {
        float* codebook = _weights.TransposedCodebook + 9L * filter * _weights.PaddedCodewords + codeword, half = scratch, transformed = scratch + Positions * Lanes;
        for (int column = 0; column < 3; column++)
            Winograd4.Weight<Float512>(codebook + column * _weights.PaddedCodewords, 3 * _weights.PaddedCodewords, half + column * Lanes, 3 * Lanes);
        for (int row = 0; row < 6; row++)
            Winograd4.Weight<Float512>(half + row * 3 * Lanes, Lanes, transformed + row * 6 * Lanes, Lanes);
        nint group = (nint)_weights.PaddedCodewords * _filters * Lanes, first = (nint)codeword * _filters + filter;
        Separate(transformed, table + first * Lanes, group, table + 2 * group + first * 4, _filters);
    }

    /// <summary>V = Bᵀ d B of four tiles of 16 channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformInputs(Workspace workspace, int image, int group, int plane, float* v, float* scratch)
    {
        float* transformed = scratch + 2 * Positions * Lanes;
        nint positions = (nint)_inputs * Tiles * Lanes;
        v += group * GroupLength;
        for (int i = 0; i < Tiles; i++)
        {
            if (group * Tiles + i < _tiles.PerImage)
                _tiles.Transform<Float512>(workspace, image * _tiles.PerImage + group * Tiles + i, plane, scratch, transformed, Lanes);
            else
                new Span<float>(transformed, Positions * Lanes).Clear();
            nint first = (nint)plane * Lanes * Tiles + i;
            Separate(transformed, v + first * Lanes, positions, v + 2 * positions + first * 4, Tiles);
        }
    }

    /// <summary>From [36, 16] to the two groups of 16 positions and the one of 4, for each of 16 lanes, whose positions lie <paramref name="items"/> registers apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Separate(float* transformed, float* sixteen, nint group, float* four, nint items)
    {
        SquareTranspose.Run(transformed, Lanes, sixteen, items * Lanes);
        SquareTranspose.Run(transformed + 16 * Lanes, Lanes, sixteen + group, items * Lanes);
        SquareTranspose.Run(transformed + 32 * Lanes, Lanes, four, items * 4, rows: 4);
    }

    /// <summary>16 outputs of four tiles: the products, their transformation and the layer's end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(Workspace workspace, int image, int group, int plane, float* table, float* v, float* scratch)
    {
        if (group == 0)
            workspace.ClearBorder(_y, image, plane);
        float* sums = scratch + 3 * Positions * Lanes;
        byte* codes = _weights.Codes + (nint)(plane / 2) * _weights.Blocks * 32 + plane % 2 * 16;
        nint codewords = (nint)_weights.PaddedCodewords * _filters, stride = Tiles * Positions;
        v += group * GroupLength;
        for (int half = 0; half < 2; half++, table += codewords * Lanes, v += (nint)_inputs * Tiles * Lanes)
            FilterProduct.Sixteen(codes, _weights.Blocks, table, _filters, v, sums + half * Tiles * Lanes, stride);
        FilterProduct.Four(codes, _weights.Blocks, table, _filters, v, sums + 2 * Tiles * Lanes, stride);
        WinogradPlace* places = stackalloc WinogradPlace[Tiles];
        int tiles = _tiles.Locate(workspace, image * _tiles.PerImage + group * Tiles, Math.Min(Tiles, _tiles.PerImage - group * Tiles), plane, places);
        for (int i = 0; i < tiles; i++)
            Finish(sums + i * Lanes, in places[i], plane, sums + 2 * Tiles * Lanes + i * 4, scratch);
    }

    /// <summary>Y = Aᵀ M A of one tile, scaled, shifted and clamped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(float* sixteen, ref readonly WinogradPlace place, int plane, float* four, float* scratch)
    {
        nint stride = Tiles * Positions;
        float* m = scratch, half = m + Positions * Lanes, pixels = half + 4 * 6 * Lanes;
        SquareTranspose.Run(sixteen, stride, m, Lanes);
        SquareTranspose.Run(sixteen + Tiles * Lanes, stride, m + 16 * Lanes, Lanes);
        SquareTranspose.Run(four, stride, m + 32 * Lanes, Lanes, 4);
        for (int column = 0; column < 6; column++)
            Winograd4.Output<Float512>(m + column * Lanes, 6 * Lanes, half + column * Lanes, 6 * Lanes);
        Float512 scale = Float512.Load((float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * Lanes));
        Float512 bias = Float512.Load((float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * Lanes));
        Float512 low = Float512.Create(_low), high = Float512.Create(_high);
        for (int row = 0; row < place.Rows; row++)
        {
            Winograd4.Output<Float512>(half + row * 6 * Lanes, Lanes, pixels, Lanes);
            float* target = place.Target + row * _y.RowStride, residual = place.Residual == null ? null : place.Residual + row * _residualRowStride;
            for (int i = 0; i < place.Values; i += Lanes)
            {
                Float512 value = Float512.MultiplyAdd(Float512.Load(pixels + i), scale, bias);
                if (residual != null)
                    value += Float512.Load(residual + i);
                Float512.Clamp(value, low, high).Store(target + i);
            }
        }
    }
}
