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

    /// <summary>Bytes of a code, 1 or 2.</summary>
    public int BytesPerCode => _bytesPerCode;

    /// <summary>The codes, [panel, block, 32 channels].</summary>
    public byte* Codes => (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_codes, 0);

    public override long Scratch => (long)Rows * TileOperands.PanelWidth;

    public override long Bytes => _codes.LongLength + ((long)_codebook.Length + _transposed.Length) * sizeof(float) + (long)_rowOf.Length * sizeof(int);

    public override float* Get(int panel, float* scratch)
    {
        if (_hasGaps)
            new Span<float>(scratch, Rows * TileOperands.PanelWidth).Clear();
        fixed (float* codebook = _codebook)
        fixed (byte* codes = _codes)
        fixed (int* rowOf = _rowOf)
            PanelDecoder.Decode(
                codebook, _stride, codes + (long)panel * _blocks * TileOperands.PanelWidth * _bytesPerCode, _bytesPerCode, _blocks, _blockSize, rowOf, scratch);
        return scratch;
    }
}
