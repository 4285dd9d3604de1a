using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>
/// Panels decoded each time from codes: for block b and 32 channels the codes lie side by side, and element e of a block goes to the panel
/// row of flat element b·d + e: panel[row(b·d + e), o] = codebook[code[b, o], e].
/// </summary>
internal sealed unsafe class CodedPanels : WeightPanels
{
    private const int Width = TileOperands.PanelWidth;

    private readonly WeightStore _store; // Keeps the memory below.
    private readonly int _blockSize, _stride, _blocks, _bytesPerCode, _codewords, _start;
    private readonly bool _hasGaps;
    private QuantizedTensor? _weight;
    private Func<int, int>? _rowOfFlat;
    private byte* _codes;
    private float* _codebook, _transposed;
    private int* _rowOf;

    /// <summary>Reserves memory for a weight; it is read when the store is filled.</summary>
    public CodedPanels(QuantizedTensor weight, int rows, Func<int, int> rowOf, WeightStore store)
        : base((weight.Rows + Width - 1) / Width, rows)
    {
        (_weight, _rowOfFlat, _store) = (weight, rowOf, store);
        _blockSize = weight.BlockSize;
        _stride = (_blockSize + 3) & ~3;
        _blocks = weight.BlocksPerRow;
        _bytesPerCode = weight.BytesPerCode;
        _codewords = weight.Codewords;
        PaddedCodewords = (_codewords + 15) & ~15;
        _hasGaps = _blocks * _blockSize < rows;
        _start = store.Reserve(this, Bytes);
    }

    /// <summary>d.</summary>
    public int BlockSize => _blockSize;

    /// <summary>k.</summary>
    public int Codewords => _codewords;

    /// <summary>Whether a code takes a byte.</summary>
    public bool HasByteCodes => _bytesPerCode == 1;

    /// <summary>The codebook, a codeword after the other, each filled up to a multiple of 4 values.</summary>
    public float* Codebook => _codebook;

    /// <summary>Blocks in a row of the weight.</summary>
    public int Blocks => _blocks;

    /// <summary>Whether the codewords are whole 3×3 filters with codes of a byte, as Winograd's algorithm needs them.</summary>
    public bool CanTransform => _blockSize % 9 == 0 && _bytesPerCode == 1;

    /// <summary>k, rounded up to whole registers.</summary>
    public int PaddedCodewords { get; }

    /// <summary>The codebook with its elements as rows, [d, PaddedCodewords].</summary>
    public float* TransposedCodebook => _transposed;

    /// <summary>Bytes of a code, 1 or 2.</summary>
    public int BytesPerCode => _bytesPerCode;

    /// <summary>The codes, [panel, block, 32 channels].</summary>
    public byte* Codes => _codes;

    public override long Scratch => (long)Rows * Width;

    public override long Bytes => CodesLength + (CodebookLength + TransposedLength) * sizeof(float) + (long)_blocks * _blockSize * sizeof(int);

    private long CodesLength => (long)Panels * _blocks * Width * _bytesPerCode;

    private long CodebookLength => (long)_codewords * _stride;

    private long TransposedLength => CanTransform ? (long)_blockSize * PaddedCodewords : 0;

    /// <summary>Arranges the weight in its part of the store's block; the weight itself is not kept.</summary>
    public void Fill(byte* block)
    {
        _codes = block + _start;
        _codebook = (float*)(_codes + CodesLength);
        _transposed = _codebook + CodebookLength;
        _rowOf = (int*)(_transposed + TransposedLength);
        QuantizedTensor weight = _weight!;
        for (int i = 0; i < _blocks * _blockSize; i++)
            _rowOf[i] = _rowOfFlat!(i);
        (_weight, _rowOfFlat) = (null, null);
        if (weight.Rows % Width != 0)
            new Span<byte>(_codes, checked((int)CodesLength)).Clear();
        if (HasByteCodes && !weight.ByteCodes.IsEmpty)
            CodeArrangement.Bytes(weight.ByteCodes, weight.Rows, _blocks, _codes);
        else
            CodeArrangement.Words(weight, _bytesPerCode, _codes);
        ArrangeCodebook(weight.Codebook);
    }

    private void ArrangeCodebook(ReadOnlySpan<float> codebook)
    {
        new Span<float>(_codebook, checked((int)(CodebookLength + TransposedLength))).Clear();
        fixed (float* from = codebook)
            for (int c = 0; c < _codewords; c++)
            {
                float* codeword = from + (nint)c * _blockSize, to = _codebook + (nint)c * _stride;
                for (int e = 0; e < _blockSize; e++)
                    to[e] = codeword[e];
                if (CanTransform)
                    for (int e = 0; e < _blockSize; e++)
                        _transposed[(nint)e * PaddedCodewords + c] = codeword[e];
            }
    }

    public override float* Get(int panel, float* scratch)
    {
        if (_hasGaps)
            new Span<float>(scratch, Rows * Width).Clear();
        PanelDecoder.Decode(_codebook, _stride, _codes + (long)panel * _blocks * Width * _bytesPerCode, _bytesPerCode, _blocks, _blockSize, _rowOf, scratch);
        return scratch;
    }
}
