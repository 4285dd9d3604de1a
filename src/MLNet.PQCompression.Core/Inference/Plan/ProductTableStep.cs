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

    /// <summary>Blocks whose tables exist at once.</summary>
    private const int Tables = 4;

    private readonly ConvolutionNode _node;
    private readonly PlanValue _x, _y;
    private readonly PlanValue? _residual;
    private readonly CodedPanels _weights;
    private readonly float[] _scale, _bias;
    private readonly float _low, _high;

    public ProductTableStep(ConvolutionNode node, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
        : base(node.Name, y, fusion.Residual is null ? [x] : [x, fusion.Residual])
    {
        (_node, _weights, _x, _y, _residual) = (node, weights, x, y, fusion.Residual);
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
        && weights.BlockSize is 4 or 8 && weights.HasByteCodes && weights.Blocks % Tables == 0;

    /// <inheritdoc/>
    public double Cost(int batch)
    {
        double tables = (double)_weights.Codewords * _weights.Blocks * _weights.BlockSize * 1.15, additions = 4.5 * Outputs * _weights.Blocks;
        return Chunks(batch) * (tables + additions + 3.0 * (Outputs + _x.Planes * Chunk)) * Chunk / TVector.Count;
    }

    public override int Parts(Workspace workspace, int phase) => Chunks(workspace.Count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        float* square = workspace.ThreadScratch(worker), inputs = square + Chunk * Chunk, sums = inputs + _x.Planes * Chunk * Chunk;
        float* tables = sums + (long)Outputs * Chunk;
        if (part == 0)
            for (int image = 0; image < workspace.Count; image++)
                for (int plane = 0; plane < _y.Planes; plane++)
                    workspace.ClearBorder(_y, image, plane);
        Place* places = stackalloc Place[Chunk];
        int pixels = Locate(workspace, part * Chunk, places);
        LoadInputs(places, pixels, square, inputs);
        for (int lane = 0; lane < Chunk; lane += TVector.Count)
            AddUp(inputs + lane, tables, sums + (long)Outputs * lane);
        for (int plane = 0; plane < _y.Planes; plane++)
        {
            for (int lane = 0; lane < Chunk; lane += TVector.Count)
                SquareTranspose.Run(sums + (long)Outputs * lane + plane * Chunk * TVector.Count, TVector.Count, square + lane * Chunk, Chunk, TVector.Count);
            Finish(places, pixels, plane, square);
        }
    }

    private int Chunks(int batch) => (batch * _y.Height * _y.Width + Chunk - 1) / Chunk;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Locate(Workspace workspace, int firstPixel, Place* places)
    {
        int perImage = _y.Height * _y.Width, count = Math.Min(Chunk, workspace.Count * perImage - firstPixel);
        for (int i = 0; i < count; i++)
        {
            int pixel = firstPixel + i, image = pixel / perImage, y = pixel % perImage / _y.Width, x = pixel % _y.Width;
            places[i].Input = workspace.Pixel(_x, image, 0, y * _node.Window.StrideY, x * _node.Window.StrideX);
            places[i].Target = workspace.Pixel(_y, image, 0, y, x);
            places[i].Residual = _residual is null ? null : workspace.Pixel(_residual, image, 0, y, x);
        }
        return count;
    }

    /// <summary>inputs[channel, pixel]; pixels that are not there are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LoadInputs(Place* places, int pixels, float* square, float* inputs)
    {
        new Span<float>(square, Chunk * Chunk).Clear();
        for (int plane = 0; plane < _x.Planes; plane++)
        {
            for (int i = 0; i < pixels; i++)
                new ReadOnlySpan<float>(places[i].Input + (nint)plane * _x.PlaneStride, Chunk).CopyTo(new Span<float>(square + i * Chunk, Chunk));
            SquareTranspose.Run(square, Chunk, inputs + plane * Chunk * Chunk, Chunk);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddUp(float* inputs, float* tables, float* sums)
    {
        int d = _weights.BlockSize, k = _weights.Codewords;
        for (int b = 0; b < _weights.Blocks; b += Tables)
        {
            for (int i = 0; i < Tables; i++)
                ProductTable<TVector>.Fill(inputs + (b + i) * d * Chunk, Chunk, d, _weights.Codebook, k, tables + i * TableLength);
            for (int panel = 0; panel < _weights.Panels; panel++)
                ProductTable<TVector>.Add(_weights.Codes + ((nint)panel * _weights.Blocks + b) * 32, tables, k, sums + panel * 32 * TVector.Count, b > 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(Place* places, int pixels, int plane, float* square)
    {
        float* scale = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_scale, plane * 16), bias = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_bias, plane * 16);
        nint target = (nint)plane * _y.PlaneStride, residual = _residual is null ? 0 : (nint)plane * _residual.PlaneStride;
        TVector low = TVector.Create(_low), high = TVector.Create(_high);
        for (int lane = 0; lane < Chunk; lane += TVector.Count)
        {
            TVector factor = TVector.Load(scale + lane), addend = TVector.Load(bias + lane);
            for (int i = 0; i < pixels; i++)
            {
                TVector value = TVector.MultiplyAdd(TVector.Load(square + i * Chunk + lane), factor, addend);
                if (places[i].Residual != null)
                    value += TVector.Load(places[i].Residual + residual + lane);
                TVector.Clamp(value, low, high).Store(places[i].Target + target + lane);
            }
        }
    }

    /// <summary>Where a pixel is read and written.</summary>
    private struct Place
    {
        public float* Input, Target, Residual;
    }
}
