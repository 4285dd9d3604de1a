using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A 3×3 convolution of stride 1 by Winograd's algorithm with the codebook transformed, never the weights: for each position ξ of the transformed
/// tile the codewords become a table of k numbers, and M[ξ] = table[ξ][codes]·V[ξ] is a product straight from the codes.
/// </summary>
/// <remarks>
/// Tiles are taken in groups whose transformed inputs V [ξ, C_in, tiles] and products M [ξ, C_out, tiles] stay in the caches. A group has three
/// phases: transform the inputs (and, once, the codebook), multiply, transform back.
/// </remarks>
internal sealed unsafe class WinogradStep<TWinograd, TVector> : Step, IConvolutionKernel
    where TWinograd : struct, IWinograd
    where TVector : struct, IFloatVector<TVector>
{
    private const int Chunk = 16, RowsPerPart = 64;

    /// <summary>Values of V and M together that stay in the second-level cache.</summary>
    private const int CachedValues = 150_000;

    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly WinogradTiles<TWinograd> _tiles;
    private readonly CodedPanels _weights;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;
    private readonly int _groupTiles, _filters, _inputs, _outputs;

    public WinogradStep(ConvolutionNode node, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _weights, _x, _y, _residual, _function) = (node, weights, x, y, fusion.Residual, fusion.Function);
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
        _filters = weights.BlockSize / 9;
        (_inputs, _outputs) = (x.Planes * PlanValue.Block, y.Planes * PlanValue.Block);
        _tiles = new(x, y, fusion.Residual);
        _groupTiles = Math.Clamp(CachedValues / (Positions * (_inputs + _outputs)) / (2 * Chunk) * (2 * Chunk), Chunk, 8 * Chunk);
    }

    private static int Positions => WinogradTiles<TWinograd>.Positions;

    public override string Kernel => TWinograd.Outputs == 4 ? "Winograd 4×4" : "Winograd 2×2";

    public override long Operations => _node.Operations;

    public override long SharedScratch => TableLength + (long)Positions * (_inputs + _outputs) * _groupTiles;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>A tile or filter in passing, a padded input tile, 16 transformed tiles before their transposition, a row of their outputs after it.</summary>
    public override long ThreadScratch => (2L * Positions + Chunk * Positions + Chunk * TWinograd.Outputs) * Chunk;

    private int Codewords => _weights.PaddedCodewords;

    private long TableLength => Workspace.RoundUp((long)Positions * _filters * Codewords);

    /// <inheritdoc/>
    public double Cost(int batch)
    {
        int chunks = Chunks(batch);
        double vectors = (double)chunks * Positions, lanes = TVector.Count;
        double multiply = vectors * _inputs * _outputs * (Chunk / lanes) / 0.8;
        double transforms = vectors * Chunk * (_inputs + _outputs) / lanes * 1.5 + vectors * (_inputs + _outputs) * 8;
        return multiply + transforms;
    }

    public override int Phases(Workspace workspace) => 3 * Groups(workspace);

    public override int Parts(Workspace workspace, int phase)
    {
        int chunks = GroupChunks(workspace, phase / 3);
        return (phase % 3) switch
        {
            0 => chunks * _x.Planes + (phase == 0 ? _filters : 0),
            1 => Positions * ((_outputs + RowsPerPart - 1) / RowsPerPart),
            _ => chunks * _y.Planes,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        int group = phase / 3, chunks = GroupChunks(workspace, group);
        float* table = workspace.SharedScratch, v = table + TableLength, m = v + (long)Positions * _inputs * _groupTiles;
        float* scratch = workspace.ThreadScratch(worker);
        switch (phase % 3)
        {
            case 0 when part >= chunks * _x.Planes:
                TransformCodebook(part - chunks * _x.Planes, table, scratch);
                break;
            case 0:
                TransformInputs(workspace, group, part % chunks, part / chunks, v, chunks * Chunk, scratch);
                break;
            case 1:
                Multiply(part % Positions, part / Positions * RowsPerPart, table, v, m, chunks * Chunk);
                break;
            default:
                if (group == 0 && part < _y.Planes)
                    for (int image = 0; image < workspace.Count; image++)
                        workspace.ClearBorder(_y, image, part);
                TransformOutputs(workspace, group, part % chunks, part / chunks, m, chunks * Chunk, scratch);
                break;
        }
    }

    private int Chunks(int batch) => (batch * _tiles.PerImage + Chunk - 1) / Chunk;

    private int Groups(Workspace workspace) => (Chunks(workspace.Count) * Chunk + _groupTiles - 1) / _groupTiles;

    private int GroupChunks(Workspace workspace, int group) => Math.Min(_groupTiles / Chunk, Chunks(workspace.Count) - group * (_groupTiles / Chunk));

    /// <summary>table[ξ, j, c] = (G g Gᵀ)[ξ] with g the j-th filter of codeword c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformCodebook(int filter, float* table, float* scratch)
    {
        int size = TWinograd.Inputs;
        nint position = (nint)_filters * Codewords;
        float* codebook = _weights.TransposedCodebook + 9L * filter * Codewords;
        for (int c = 0; c < Codewords; c += TVector.Count)
        {
            for (int column = 0; column < 3; column++)
                TWinograd.Weight<TVector>(codebook + column * Codewords + c, 3 * Codewords, scratch + column * Chunk, 3 * Chunk);
            for (int row = 0; row < size; row++)
                TWinograd.Weight<TVector>(scratch + row * 3 * Chunk, Chunk, table + row * size * position + (nint)filter * Codewords + c, position);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformInputs(Workspace workspace, int group, int chunk, int plane, float* v, nint columns, float* scratch)
    {
        int firstTile = group * _groupTiles + chunk * Chunk, total = workspace.Count * _tiles.PerImage;
        float* transformed = scratch + 2 * Positions * Chunk;
        for (int i = 0; i < Chunk; i++)
            if (firstTile + i < total)
                _tiles.Transform<TVector>(workspace, firstTile + i, plane, scratch, transformed + i * Chunk, Chunk * Chunk);
            else
                for (int p = 0; p < Positions; p++)
                    new Span<float>(transformed + (p * Chunk + i) * Chunk, Chunk).Clear();
        for (int p = 0; p < Positions; p++)
            SquareTranspose.Run(transformed + p * Chunk * Chunk, Chunk, v + ((nint)p * _inputs + plane * Chunk) * columns + chunk * Chunk, columns);
    }

    private void Multiply(int position, int row, float* table, float* v, float* m, nint columns) => CodeProduct<TVector>.Multiply(
        _weights.Codes + (nint)row / 32 * _weights.Blocks * 32, 32, _weights.Blocks,
        table + (nint)position * _filters * Codewords, Codewords, _filters,
        v + (nint)position * _inputs * columns, columns,
        m + ((nint)position * _outputs + row) * columns, Math.Min(RowsPerPart, _outputs - row));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TransformOutputs(Workspace workspace, int group, int chunk, int plane, float* m, nint columns, float* scratch)
    {
        int size = TWinograd.Inputs, outputs = TWinograd.Outputs;
        nint position = _outputs * columns;
        float* half = scratch, transformed = half + Positions * Chunk, pixels = transformed + Positions * Chunk * Chunk;
        for (int o = 0; o < Chunk; o++)
            for (int lane = 0; lane < Chunk; lane += TVector.Count)
            {
                float* products = m + (plane * Chunk + o) * columns + chunk * Chunk + lane;
                for (int column = 0; column < size; column++)
                    TWinograd.Output<TVector>(products + column * position, size * position, half + column * Chunk, size * Chunk);
                for (int row = 0; row < outputs; row++)
                    TWinograd.Output<TVector>(half + row * size * Chunk, Chunk, transformed + (row * outputs * Chunk + o) * Chunk + lane, Chunk * Chunk);
            }
        WinogradPlace* places = stackalloc WinogradPlace[Chunk];
        int tiles = _tiles.Locate(workspace, group * _groupTiles + chunk * Chunk, Chunk, plane, places);
        for (int row = 0; row < outputs; row++)
        {
            for (int column = 0; column < outputs; column++)
                SquareTranspose.Run(transformed + (row * outputs + column) * Chunk * Chunk, Chunk, pixels + column * Chunk, outputs * Chunk);
            Finish(places, tiles, plane, row, pixels);
        }
    }

    /// <summary>Stores one row of pixels of each tile; the rows of neighbouring tiles are neighbours in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(WinogradPlace* places, int tiles, int plane, int row, float* sums)
    {
        float* scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * 16), bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * 16);
        nint targetRow = (nint)row * _y.RowStride, residualRow = _residual is null ? 0 : (nint)row * _residual.RowStride;
        TVector low = TVector.Create(_low), high = TVector.Create(_high);
        for (int lane = 0; lane < Chunk; lane += TVector.Count)
        {
            TVector factor = TVector.Load(scale + lane), addend = TVector.Load(bias + lane);
            for (int i = 0; i < tiles; i++)
            {
                if (row >= places[i].Rows)
                    continue;
                float* target = places[i].Target + targetRow, source = sums + i * TWinograd.Outputs * Chunk;
                float* residual = places[i].Residual;
                for (int j = lane; j < places[i].Values; j += Chunk)
                {
                    TVector value = TVector.MultiplyAdd(TVector.Load(source + j), factor, addend);
                    if (residual != null)
                        value += TVector.Load(residual + residualRow + j);
                    TVector.Clamp(value, low, high).Store(target + j);
                }
            }
        }
        for (int i = 0; _function is not null && i < tiles; i++)
            if (row < places[i].Rows)
                _function.Apply(places[i].Target + targetRow, places[i].Target + targetRow, places[i].Values);
    }
}
