using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A 3×3 convolution of stride 1 or 2 by F(4×4, 3×3) for images of few tiles: the lanes of a register are positions ξ of one transformed tile instead of the same
/// position of 16 tiles, so four tiles suffice to fill the registers. It needs the 32 registers of AVX-512.
/// </summary>
/// <remarks>
/// Two phases: transform the codebook, U [codewords, filters, ξ]; then, for 64 outputs and four tiles, transform the inputs, V [C_in, tiles, ξ], multiply and
/// transform back. V is in a thread's own scratch, and computed again by each thread that has outputs of the tiles: fetching it from another core's cache
/// takes longer. The positions lie as groups of 16 and a last one of 4 (<see cref="FilterProduct"/>).
/// </remarks>
internal sealed unsafe class FilterWinogradStep<TWinograd> : Step, IConvolutionKernel
    where TWinograd : struct, IWinograd
{
    private const int Lanes = PlanValue.Block, Tiles = FilterProduct.Tiles;

    /// <summary>Blocks of outputs in a part: they use a group's positions of U one after the other while these are in the first-level cache.</summary>
    private const int PlanesPerPart = 4;

    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly CodedPanels _weights;
    private readonly WinogradTiles<TWinograd> _tiles;
    private readonly nint _residualRowStride;
    private readonly PlaneFunction? _function;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly int _filters, _inputs;

    public FilterWinogradStep(ConvolutionNode node, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _weights, _x, _y, _function) = (node, weights, x, y, fusion.Function);
        _tiles = new(x, y, fusion.Residual);
        _residualRowStride = fusion.Residual?.RowStride ?? 0;
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
        (_filters, _inputs) = (weights.BlockSize / 9, x.Planes * Lanes);
    }

    /// <summary>Positions of a transformed tile, filled up with zeros to groups of 16 and one of 4.</summary>
    private static int Positions => Sixteens * Lanes + 4;

    /// <summary>Groups of 16 positions.</summary>
    private static int Sixteens => WinogradTiles<TWinograd>.Positions / Lanes;

    public override string Kernel => TWinograd.Stride == 1 ? "Winograd 4×4, filters" : "Winograd 4×4, stride 2";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>U.</summary>
    public override long SharedScratch => TableLength;

    /// <summary>A tile in passing twice, a transformed tile of 16 channels or codewords, the sums of a part's outputs, V of four tiles.</summary>
    public override long ThreadScratch => 3 * Positions * Lanes + PlanesPerPart * PlaneSums + GroupLength;

    /// <summary>The sums of 16 outputs.</summary>
    private static int PlaneSums => Lanes * Tiles * Positions;

    /// <summary>Parts that the outputs of a group make.</summary>
    private int OutputParts => (_y.Planes + PlanesPerPart - 1) / PlanesPerPart;

    /// <summary>Groups of four tiles in an image.</summary>
    private int Groups => (_tiles.PerImage + Tiles - 1) / Tiles;

    /// <summary>Parts of the codebook's transformation.</summary>
    private int Tables => _weights.PaddedCodewords / Lanes * _filters;

    private nint TableLength => (nint)_weights.PaddedCodewords * _filters * Positions;

    private nint GroupLength => (nint)_inputs * Tiles * Positions;

    /// <inheritdoc/>
    public double Cost(int batch) => (double)batch * Groups * Tiles * Positions * ((double)_inputs * _y.Planes / 0.92 + 15.0 * (_x.Planes + _y.Planes));

    public override int Phases(Workspace workspace) => 2;

    public override int Parts(Workspace workspace, int phase) => phase == 0 ? Tables : workspace.Count * Groups * OutputParts;

    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* scratch = workspace.ThreadScratch(worker), v = scratch + 3 * Positions * Lanes + PlanesPerPart * PlaneSums;
        if (phase == 0)
        {
            TransformCodebook(part % _filters, part / _filters * Lanes, workspace.SharedScratch, scratch);
            return;
        }
        int item = part / OutputParts, image = item / Groups, group = item % Groups;
        if (!workspace.Keeps(worker, item))
            for (int plane = 0; plane < _x.Planes; plane++)
                TransformInputs(workspace, image, group, plane, v, scratch);
        Multiply(workspace, image, group, part % OutputParts, workspace.SharedScratch, v, scratch);
    }

    /// <summary>U = G g Gᵀ of one filter of 16 codewords.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformCodebook(int filter, int codeword, float* table, float* scratch)
    {
        float* codebook = _weights.TransposedCodebook + 9L * filter * _weights.PaddedCodewords + codeword, half = scratch, transformed = scratch + Positions * Lanes;
        for (int column = 0; column < 3; column++)
            TWinograd.Weight<Float512>(codebook + column * _weights.PaddedCodewords, 3 * _weights.PaddedCodewords, half + column * Lanes, 3 * Lanes);
        for (int row = 0; row < TWinograd.Inputs; row++)
            TWinograd.Weight<Float512>(half + row * 3 * Lanes, Lanes, transformed + row * TWinograd.Inputs * Lanes, Lanes);
        nint group = (nint)_weights.PaddedCodewords * _filters * Lanes, first = (nint)codeword * _filters + filter;
        Separate(transformed, table + first * Lanes, group, table + Sixteens * group + first * 4, _filters);
    }

    /// <summary>V = Bᵀ d B of four tiles of 16 channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformInputs(Workspace workspace, int image, int group, int plane, float* v, float* scratch)
    {
        float* transformed = scratch + 2 * Positions * Lanes;
        nint positions = (nint)_inputs * Tiles * Lanes;
        for (int i = 0; i < Tiles; i++)
        {
            if (group * Tiles + i < _tiles.PerImage)
                _tiles.Transform<Float512>(workspace, image * _tiles.PerImage + group * Tiles + i, plane, scratch, transformed, Lanes);
            else
                new Span<float>(transformed, Positions * Lanes).Clear();
            nint first = (nint)plane * Lanes * Tiles + i;
            Separate(transformed, v + first * Lanes, positions, v + Sixteens * positions + first * 4, Tiles);
        }
    }

    /// <summary>From [positions, 16] to the groups of 16 positions and the one of 4, for each of 16 lanes, whose positions lie <paramref name="items"/> registers apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Separate(float* transformed, float* sixteen, nint group, float* four, nint items)
    {
        int positions = WinogradTiles<TWinograd>.Positions;
        new Span<float>(transformed + positions * Lanes, (Positions - positions) * Lanes).Clear();
        for (int i = 0; i < Sixteens; i++)
            SquareTranspose.Run(transformed + i * Lanes * Lanes, Lanes, sixteen + i * group, items * Lanes);
        SquareTranspose.Run(transformed + Sixteens * Lanes * Lanes, Lanes, four, items * 4, rows: 4);
    }

    /// <summary>The outputs of a part for four tiles: the products, their transformation and the layer's end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(Workspace workspace, int image, int group, int part, float* table, float* v, float* scratch)
    {
        int first = part * PlanesPerPart, end = Math.Min(first + PlanesPerPart, _y.Planes), blocks = _weights.Blocks;
        float* sums = scratch + 3 * Positions * Lanes;
        nint codewords = (nint)_weights.PaddedCodewords * _filters, stride = Tiles * Positions;
        for (int i = 0; i <= Sixteens; i++, table += codewords * Lanes, v += (nint)_inputs * Tiles * Lanes)
            for (int plane = first; plane < end; plane++)
            {
                byte* codes = _weights.Codes + (nint)(plane / 2) * blocks * 32 + plane % 2 * 16;
                float* products = sums + (plane - first) * PlaneSums + i * Tiles * Lanes;
                if (i < Sixteens)
                    FilterProduct.Sixteen(codes, blocks, table, _filters, v, products, stride);
                else
                    FilterProduct.Four(codes, blocks, table, _filters, v, products, stride);
            }
        WinogradPlace* places = stackalloc WinogradPlace[Tiles];
        for (int plane = first; plane < end; plane++, sums += PlaneSums)
        {
            if (group == 0)
                workspace.ClearBorder(_y, image, plane);
            int tiles = _tiles.Locate(workspace, image * _tiles.PerImage + group * Tiles, Math.Min(Tiles, _tiles.PerImage - group * Tiles), plane, places);
            for (int i = 0; i < tiles; i++)
                Finish(sums + i * Lanes, in places[i], plane, sums + Sixteens * Tiles * Lanes + i * 4, scratch);
        }
    }

    /// <summary>Y = Aᵀ M A of one tile, scaled, shifted and clamped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(float* sixteen, ref readonly WinogradPlace place, int plane, float* four, float* scratch)
    {
        nint stride = Tiles * Positions;
        int size = TWinograd.Inputs;
        float* m = scratch, half = m + Positions * Lanes, pixels = half + TWinograd.Outputs * size * Lanes;
        for (int i = 0; i < Sixteens; i++)
            SquareTranspose.Run(sixteen + i * Tiles * Lanes, stride, m + i * Lanes * Lanes, Lanes);
        SquareTranspose.Run(four, stride, m + Sixteens * Lanes * Lanes, Lanes, 4);
        for (int column = 0; column < size; column++)
            TWinograd.Output<Float512>(m + column * Lanes, size * Lanes, half + column * Lanes, size * Lanes);
        Float512 scale = Float512.Load((float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * Lanes));
        Float512 bias = Float512.Load((float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * Lanes));
        Float512 low = Float512.Create(_low), high = Float512.Create(_high);
        for (int row = 0; row < place.Rows; row++)
        {
            TWinograd.Output<Float512>(half + row * size * Lanes, Lanes, pixels, Lanes);
            float* target = place.Target + row * _y.RowStride, residual = place.Residual == null ? null : place.Residual + row * _residualRowStride;
            for (int i = 0; i < place.Values; i += Lanes)
            {
                Float512 value = Float512.MultiplyAdd(Float512.Load(pixels + i), scale, bias);
                if (residual != null)
                    value += Float512.Load(residual + i);
                Float512.Clamp(value, low, high).Store(target + i);
            }
            _function?.Apply(target, target, place.Values);
        }
    }
}
