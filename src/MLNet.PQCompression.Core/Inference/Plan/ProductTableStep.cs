using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>
/// A 1×1 convolution by product tables: for each block of inputs the products with all k codewords, then an addition for each output and block. It pays
/// where there are several times more output channels than codewords.
/// </summary>
internal sealed unsafe class ProductTableStep<TVector> : Step, IConvolutionKernel
    where TVector : struct, IFloatVector<TVector>
{
    private const int Chunk = 16;

    /// <summary>Blocks whose tables exist at once, in the second-level cache.</summary>
    private const int Tables = 8;

    /// <summary>Pixels beyond whole chunks that are computed one by one, straight from the codes; more take a chunk.</summary>
    private const int FewPixels = 2;

    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly PlaneFunction? _function;
    private readonly CodedPanels _weights;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;

    public ProductTableStep(ConvolutionNode node, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _weights, _x, _y, _residual, _function) = (node, weights, x, y, fusion.Residual, fusion.Function);
        (_scale, _bias) = fusion.Pinned(weights.Panels);
        (_low, _high) = (fusion.Low, fusion.High);
    }

    public override string Kernel => "product table";

    public override long Operations => _node.Operations;

    public override long WeightBytes => _weights.Bytes + 2L * _scale.Length * sizeof(float);

    /// <summary>The inputs and the sums of 16 pixels, the tables, and a square in passing.</summary>
    public override long ThreadScratch => (long)(_x.Planes * Chunk + Outputs + Chunk) * Chunk + Tables * TableLength;

    private int Outputs => _weights.Panels * TileOperands.PanelWidth;

    private int TableLength => _weights.Codewords * TVector.Count;

    /// <summary>Whether a layer can be computed this way.</summary>
    public static bool Applies(ConvolutionNode node, CodedPanels weights, PlanValue x) =>
        node.Window is { KernelHeight: 1, KernelWidth: 1, PadTop: 0, PadLeft: 0 } && x.Layout == ValueLayout.Blocked
        && weights.BlockSize is 4 or 8 && weights.HasByteCodes;

    /// <inheritdoc/>
    public double Cost(int batch)
    {
        int pixels = batch * _y.Height * _y.Width, chunks = pixels / Chunk, rest = pixels % Chunk;
        double tables = _weights.Codewords * _weights.Blocks * (0.8 * _weights.BlockSize + 2.3), additions = 3.0 * Outputs * _weights.Blocks;
        double chunk = (tables + additions + 36.0 * Outputs + 20.0 * _x.Planes * Chunk) * 1.05 * Chunk / TVector.Count;
        return chunks * chunk + (rest <= FewPixels ? rest * 2.0 * Outputs * _weights.Blocks : chunk);
    }

    public override int Parts(Workspace workspace, int phase) => Runs(workspace) * Chunks(workspace);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* square = workspace.ThreadScratch(worker), inputs = square + Chunk * Chunk, sums = inputs + _x.Planes * Chunk * Chunk;
        float* tables = sums + (long)Outputs * Chunk;
        if (part == 0)
            for (int image = 0; image < workspace.Count; image++)
                for (int plane = 0; plane < _y.Planes; plane++)
                    workspace.ClearBorder(_y, image, plane);
        int chunks = Chunks(workspace), perRun = Pixels(workspace), first = part % chunks * Chunk, pixels = Math.Min(Chunk, perRun - first);
        PixelPlace* places = stackalloc PixelPlace[Chunk];
        Locate(workspace, part / chunks * perRun + first, pixels, places);
        if (pixels <= FewPixels)
        {
            for (int i = 0; i < pixels; i++)
                RunPixel(places + i, inputs, square);
            return;
        }
        LoadInputs(places, pixels, square, inputs);
        for (int lane = 0; lane < Chunk; lane += TVector.Count)
            AddUp(inputs + lane, tables, sums + (long)Outputs * lane);
        for (int plane = 0; plane < _y.Planes; plane++)
            Finish(places, pixels, plane, sums + plane * Chunk * TVector.Count, square);
    }

    /// <summary>Whether the chunks of an image do not depend on what other images there are.</summary>
    private static int Runs(Workspace workspace) => workspace.BatchInvariant ? workspace.Count : 1;

    /// <summary>Pixels that are cut into chunks together: those of all images, or of each where results must not depend on the batch.</summary>
    private int Pixels(Workspace workspace) => workspace.Count / Runs(workspace) * _y.Height * _y.Width;

    private int Chunks(Workspace workspace) => (Pixels(workspace) + Chunk - 1) / Chunk;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Locate(Workspace workspace, int firstPixel, int count, PixelPlace* places)
    {
        int perImage = _y.Height * _y.Width, image = firstPixel / perImage, y = firstPixel % perImage / _y.Width, x = firstPixel % _y.Width;
        for (int i = 0; i < count; i++)
        {
            places[i].Input = workspace.Pixel(_x, image, 0, y * _node.Window.StrideY, x * _node.Window.StrideX);
            places[i].Target = workspace.Pixel(_y, image, 0, y, x);
            places[i].Residual = _residual is null ? null : workspace.Pixel(_residual, image, 0, y, x);
            if (++x < _y.Width)
                continue;
            x = 0;
            if (++y < _y.Height)
                continue;
            y = 0;
            image++;
        }
    }

    /// <summary>All outputs of one pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunPixel(PixelPlace* place, float* inputs, float* sums)
    {
        for (int plane = 0; plane < _x.Planes; plane++)
            new ReadOnlySpan<float>(place->Input + (nint)plane * _x.PlaneStride, Chunk).CopyTo(new Span<float>(inputs + plane * Chunk, Chunk));
        for (int plane = 0; plane < _y.Planes; plane++)
        {
            CodewordDot.Multiply(CodesOf(plane), 1, _weights.Blocks, _weights.Codebook, _weights.BlockSize, inputs, sums);
            Epilogue(plane).Apply<TVector>(sums, place);
            ApplyFunction(place, plane);
        }
    }

    /// <summary>The codes of 16 outputs, those of neighbouring blocks 32 apart.</summary>
    private byte* CodesOf(int plane) => _weights.Codes + (nint)(plane / 2) * _weights.Blocks * TileOperands.PanelWidth + plane % 2 * Chunk;

    /// <summary>inputs[channel, pixel]; values of pixels that are not there are of no account.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LoadInputs(PixelPlace* places, int pixels, float* square, float* inputs)
    {
        bool neighbours = places[pixels - 1].Input - places[0].Input == (pixels - 1) * Chunk && pixels == Chunk;
        for (int plane = 0; plane < _x.Planes; plane++, inputs += Chunk * Chunk)
        {
            nint offset = (nint)plane * _x.PlaneStride;
            if (neighbours)
            {
                SquareTranspose.Run(places[0].Input + offset, Chunk, inputs, Chunk);
                continue;
            }
            for (int i = 0; i < pixels; i++)
                for (int lane = 0; lane < Chunk; lane += TVector.Count)
                    TVector.Load(places[i].Input + offset + lane).Store(square + i * Chunk + lane);
            SquareTranspose.Run(square, Chunk, inputs, Chunk);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddUp(float* inputs, float* tables, float* sums)
    {
        int d = _weights.BlockSize, k = _weights.Codewords, length = TableLength, blocks = _weights.Blocks, planes = _y.Planes;
        float* codebook = _weights.Codebook;
        byte* codes = _weights.Codes;
        for (int b = 0; b < blocks; b += Tables)
        {
            int count = Math.Min(Tables, blocks - b);
            for (int i = 0; i < count; i++)
                ProductTable<TVector>.Fill(inputs + (b + i) * d * Chunk, Chunk, d, codebook, k, tables + i * length);
            for (int plane = 0; plane < planes; plane++)
                ProductTable<TVector>.Add(
                    codes + ((nint)(plane / 2) * blocks + b) * TileOperands.PanelWidth + plane % 2 * Chunk, count, tables, length, sums + plane * Chunk * TVector.Count, b > 0);
        }
    }

    /// <summary>Hands out 16 outputs of a chunk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(PixelPlace* places, int pixels, int plane, float* sums, float* square)
    {
        PixelEpilogue epilogue = Epilogue(plane);
        for (int lane = 0; lane < Chunk; lane += TVector.Count)
            SquareTranspose.Run(sums + (long)Outputs * lane, TVector.Count, square + lane * Chunk, Chunk, TVector.Count);
        for (int i = 0; i < pixels; i++)
        {
            epilogue.Apply<TVector>(square + i * Chunk, places + i);
            ApplyFunction(places + i, plane);
        }
    }

    private void ApplyFunction(PixelPlace* place, int plane)
    {
        float* y = place->Target + (nint)plane * _y.PlaneStride;
        _function?.Apply(y, y, Chunk);
    }

    private PixelEpilogue Epilogue(int plane) => new()
    {
        Scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * Chunk),
        Bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * Chunk),
        Low = _low,
        High = _high,
        Target = (nint)plane * _y.PlaneStride,
        Residual = _residual is null ? 0 : (nint)plane * _residual.PlaneStride,
    };
}
