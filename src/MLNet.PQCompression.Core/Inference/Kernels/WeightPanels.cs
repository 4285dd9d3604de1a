using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A layer's weights, ready to become panels of 32 output channels: [rows, 32] float32 in the kernel's reading order.</summary>
internal abstract unsafe class WeightPanels(int panels, int rows)
{
    /// <summary>Panels, the output channels divided by 32 and rounded up.</summary>
    public int Panels { get; } = panels;

    /// <summary>Rows of a panel.</summary>
    public int Rows { get; } = rows;

    /// <summary>Values of scratch that <see cref="Get"/> needs.</summary>
    public abstract long Scratch { get; }

    /// <summary>Bytes kept.</summary>
    public abstract long Bytes { get; }

    /// <summary>The panel, either kept or written to <paramref name="scratch"/>.</summary>
    public abstract float* Get(int panel, float* scratch);

    /// <summary>Prepares a weight of which each row is an output channel.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="rows">Rows of a panel.</param>
    /// <param name="rowOf">The panel row of an element of a weight's flat row.</param>
    public static WeightPanels Create(Initializer weight, int rows, Func<int, int> rowOf) =>
        weight is QuantizedTensor quantized ? new CodedPanels(quantized, rows, rowOf) : new DensePanels((DenseTensor)weight, rows, rowOf);
}

/// <summary>Panels kept as they are.</summary>
internal sealed unsafe class DensePanels : WeightPanels
{
    private readonly float[] _panels;

    public DensePanels(DenseTensor weight, int rows, Func<int, int> rowOf)
        : base((weight.Shape[0] + 31) / 32, rows)
    {
        _panels = GC.AllocateArray<float>(checked(Panels * rows * TileOperands.PanelWidth), pinned: true);
        int channels = weight.Shape[0], length = channels == 0 ? 0 : (int)(weight.Shape.Count / channels);
        ReadOnlySpan<float> values = weight.Span;
        for (int i = 0; i < length; i++)
        {
            int row = rowOf(i);
            for (int o = 0; o < channels; o++)
                _panels[((long)(o / 32) * rows + row) * 32 + o % 32] = values[o * length + i];
        }
    }

    public override long Scratch => 0;

    public override long Bytes => (long)_panels.Length * sizeof(float);

    public override float* Get(int panel, float* scratch) =>
        (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_panels, 0) + (long)panel * Rows * TileOperands.PanelWidth;
}

/// <summary>
/// Panels decoded each time from codes: for block b and 32 channels the codes lie side by side, and element e of a block goes to the panel
/// row of flat element b·d + e: panel[row(b·d + e), o] = codebook[code[b, o], e].
/// </summary>
internal sealed unsafe class CodedPanels : WeightPanels
{
    private readonly float[] _codebook;
    private readonly float[] _transposed = [];
    private readonly byte[] _codes;
    private readonly int[] _rowOf;
    private readonly int _blockSize, _stride, _blocks, _bytesPerCode;
    private readonly bool _hasGaps;

    public CodedPanels(QuantizedTensor weight, int rows, Func<int, int> rowOf)
        : base((weight.Rows + 31) / 32, rows)
    {
        _blockSize = weight.BlockSize;
        _stride = (_blockSize + 3) & ~3;
        _blocks = weight.BlocksPerRow;
        _bytesPerCode = weight.BytesPerCode;
        _codebook = GC.AllocateArray<float>(weight.Codewords * _stride, pinned: true);
        for (int c = 0; c < weight.Codewords; c++)
            weight.Codebook.Slice(c * _blockSize, _blockSize).CopyTo(_codebook.AsSpan(c * _stride));
        _codes = GC.AllocateArray<byte>(checked(Panels * _blocks * 32 * _bytesPerCode), pinned: true);
        bool fromBytes = _bytesPerCode == 1 && !weight.ByteCodes.IsEmpty;
        for (int o = 0; o < weight.Rows; o++)
            if (fromBytes)
                Arrange(weight.ByteCodes.Slice(o * _blocks, _blocks), (o / 32 * _blocks * 32) + o % 32);
            else
                Arrange(weight.Codes.Slice(o * _blocks, _blocks), (o / 32 * _blocks * 32) + o % 32);
        _rowOf = new int[_blocks * _blockSize];
        for (int i = 0; i < _rowOf.Length; i++)
            _rowOf[i] = rowOf(i);
        _hasGaps = _rowOf.Length < rows;
        PaddedCodewords = (weight.Codewords + 15) & ~15;
        if (!CanTransform)
            return;
        _transposed = GC.AllocateArray<float>(_blockSize * PaddedCodewords, pinned: true);
        for (int c = 0; c < weight.Codewords; c++)
            for (int e = 0; e < _blockSize; e++)
                _transposed[e * PaddedCodewords + c] = weight.Codebook[c * _blockSize + e];
    }

    /// <summary>Puts the codes of an output channel in every 32nd place.</summary>
    private void Arrange(ReadOnlySpan<byte> row, int at)
    {
        byte[] codes = _codes;
        for (int b = 0; b < row.Length; b++)
            codes[at + 32 * b] = row[b];
    }

    private void Arrange(ReadOnlySpan<ushort> row, int at)
    {
        if (_bytesPerCode == 1)
            for (int b = 0; b < row.Length; b++)
                _codes[at + 32 * b] = (byte)row[b];
        else
            for (int b = 0; b < row.Length; b++)
                BitConverter.TryWriteBytes(_codes.AsSpan((at + 32 * b) * 2), row[b]);
    }

    /// <summary>d.</summary>
    public int BlockSize => _blockSize;

    /// <summary>k.</summary>
    public int Codewords => _codebook.Length / _stride;

    /// <summary>Whether a code takes a byte.</summary>
    public bool HasByteCodes => _bytesPerCode == 1;

    /// <summary>The codebook, a codeword after the other, each filled up to a multiple of 4 values.</summary>
    public float* Codebook => (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_codebook, 0);

    /// <summary>Blocks in a row of the weight.</summary>
    public int Blocks => _blocks;

    /// <summary>Whether the codewords are whole 3×3 filters with codes of a byte, as Winograd's algorithm needs them.</summary>
    public bool CanTransform => _blockSize % 9 == 0 && _bytesPerCode == 1;

    /// <summary>k, rounded up to whole registers.</summary>
    public int PaddedCodewords { get; }

    /// <summary>The codebook with its elements as rows, [d, PaddedCodewords].</summary>
    public float* TransposedCodebook => (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_transposed, 0);

    /// <summary>The codes, [panel, block, 32 channels], of a byte each.</summary>
    public byte* Codes => (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_codes, 0);

    public override long Scratch => (long)Rows * TileOperands.PanelWidth;

    public override long Bytes => _codes.LongLength + ((long)_codebook.Length + _transposed.Length) * sizeof(float) + (long)_rowOf.Length * sizeof(int);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override float* Get(int panel, float* scratch)
    {
        if (_hasGaps)
            new Span<float>(scratch, Rows * TileOperands.PanelWidth).Clear();
        fixed (float* codebook = _codebook)
        fixed (byte* codes = _codes)
        fixed (int* rowOf = _rowOf)
        {
            byte* code = codes + (long)panel * _blocks * 32 * _bytesPerCode;
            for (int b = 0; b < _blocks; b++, code += 32 * _bytesPerCode)
                if (Vector512.IsHardwareAccelerated)
                    for (int lane = 0; lane < 32; lane += 16)
                        DecodeSixteen(codebook, code, lane, rowOf + b * _blockSize, scratch + lane);
                else
                    for (int lane = 0; lane < 32; lane += 4)
                        DecodeFour(codebook, code, lane, rowOf + b * _blockSize, scratch + lane);
        }
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeFour(float* codebook, byte* code, int lane, int* rowOf, float* target)
    {
        float* w0 = codebook + Code(code, lane) * _stride, w1 = codebook + Code(code, lane + 1) * _stride;
        float* w2 = codebook + Code(code, lane + 2) * _stride, w3 = codebook + Code(code, lane + 3) * _stride;
        for (int e = 0; e < _blockSize; e += 4)
        {
            Vector128<float> r0 = Vector128.Load(w0 + e), r1 = Vector128.Load(w1 + e), r2 = Vector128.Load(w2 + e), r3 = Vector128.Load(w3 + e);
            PanelPacking.Transpose(ref r0, ref r1, ref r2, ref r3);
            r0.Store(target + rowOf[e] * TileOperands.PanelWidth);
            if (e + 1 < _blockSize)
                r1.Store(target + rowOf[e + 1] * TileOperands.PanelWidth);
            if (e + 2 < _blockSize)
                r2.Store(target + rowOf[e + 2] * TileOperands.PanelWidth);
            if (e + 3 < _blockSize)
                r3.Store(target + rowOf[e + 3] * TileOperands.PanelWidth);
        }
    }

    /// <summary>Four codewords beside each other in each of four registers, then a transposition of 4×4 within each 128 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void DecodeSixteen(float* codebook, byte* code, int lane, int* rowOf, float* target)
    {
        for (int e = 0; e < _blockSize; e += 4)
        {
            float* elements = codebook + e;
            Vector512<float> r0 = Gather(elements, code, lane), r1 = Gather(elements, code, lane + 1);
            Vector512<float> r2 = Gather(elements, code, lane + 2), r3 = Gather(elements, code, lane + 3);
            Vector512<float> a = Avx512F.UnpackLow(r0, r2), b = Avx512F.UnpackHigh(r0, r2), c = Avx512F.UnpackLow(r1, r3), d = Avx512F.UnpackHigh(r1, r3);
            Avx512F.UnpackLow(a, c).Store(target + rowOf[e] * TileOperands.PanelWidth);
            if (e + 1 < _blockSize)
                Avx512F.UnpackHigh(a, c).Store(target + rowOf[e + 1] * TileOperands.PanelWidth);
            if (e + 2 < _blockSize)
                Avx512F.UnpackLow(b, d).Store(target + rowOf[e + 2] * TileOperands.PanelWidth);
            if (e + 3 < _blockSize)
                Avx512F.UnpackHigh(b, d).Store(target + rowOf[e + 3] * TileOperands.PanelWidth);
        }
    }

    /// <summary>Four elements of the codewords of every fourth lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> Gather(float* elements, byte* code, int lane) => Vector512.Create(
        Vector256.Create(Vector128.Load(elements + Code(code, lane) * _stride), Vector128.Load(elements + Code(code, lane + 4) * _stride)),
        Vector256.Create(Vector128.Load(elements + Code(code, lane + 8) * _stride), Vector128.Load(elements + Code(code, lane + 12) * _stride)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Code(byte* codes, int lane) => _bytesPerCode == 1 ? codes[lane] : ((ushort*)codes)[lane];
}
