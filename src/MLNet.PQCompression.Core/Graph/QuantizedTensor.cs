namespace MLNet.PQCompression.Graph;

/// <summary>
/// A product-quantized weight (paper, section 3.1): each row of the weight, flattened, is cut into m blocks of d values, and each block is
/// one of the k codewords of a codebook that the whole tensor shares.
/// </summary>
/// <remarks>
/// <c>weight[o].flat[b·d … b·d + d) = codebook[codes[o·m + b]]</c>, o in [0, rows), b in [0, m). For a convolution weight
/// C_out × C_in/g × kh × kw a row is an output channel and its flat order is (c_in, kh, kw), so d = 9 is one 3×3 filter slice. Operators whose weight has its outputs in dimension 1, as
/// MatMul and ConvTranspose have, read a transposed one: its rows are those of the tensor with dimensions 0 and 1 exchanged.
/// </remarks>
public sealed class QuantizedTensor : Initializer
{
    private readonly float[] _codebook;
    private readonly BlockCodes _codes;

    /// <summary>Wraps a codebook and codes without copying them.</summary>
    /// <param name="shape">The shape of the decoded weight; dimension 0 is the rows.</param>
    /// <param name="blockSize">d, which divides the length of a row.</param>
    /// <param name="codebook">k·d values, codeword after codeword. Files hold them as float16, so they should be representable as such.</param>
    /// <param name="codes">rows·m codes below k, row-major.</param>
    /// <param name="isTransposed">Whether the rows lie along dimension 1.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other, or a code is not below k.</exception>
    public QuantizedTensor(TensorShape shape, int blockSize, float[] codebook, ushort[] codes, bool isTransposed = false)
        : this(shape, blockSize, codebook, new BlockCodes(codes ?? throw new ArgumentNullException(nameof(codes))), isTransposed)
    {
    }

    internal QuantizedTensor(TensorShape shape, int blockSize, float[] codebook, BlockCodes codes, bool isTransposed = false)
        : base(shape)
    {
        IsTransposed = isTransposed;
        ArgumentNullException.ThrowIfNull(codebook);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        if (shape.Rank < 2 || shape.Count == 0)
            throw new ArgumentException($"A quantized tensor needs at least two dimensions and one value, not {shape}.", nameof(shape));
        long rowLength = shape.Count / Rows;
        if (rowLength % blockSize != 0)
            throw new ArgumentException($"Blocks of {blockSize} do not divide the {rowLength} values of a row of {shape}.", nameof(blockSize));
        if (codebook.Length == 0 || codebook.Length % blockSize != 0)
            throw new ArgumentException($"A codebook of {codebook.Length} values does not hold whole codewords of {blockSize}.", nameof(codebook));
        int k = codebook.Length / blockSize;
        if (k > 65536)
            throw new ArgumentException($"A codebook holds at most 65536 codewords, not {k}.", nameof(codebook));
        long blocks = shape.Count / blockSize;
        if (codes.Count != blocks)
            throw new ArgumentException($"A weight of shape {shape} with blocks of {blockSize} has {blocks} codes, not {codes.Count}.", nameof(codes));
        if (codes.FirstOutside(k) is >= 0 and var code)
            throw new ArgumentException($"Code {code} is outside the codebook of {k} codewords.", nameof(codes));
        BlockSize = blockSize;
        _codebook = codebook;
        _codes = codes;
    }

    /// <summary>The same codes and codebook under another shape with rows as many and as long.</summary>
    internal QuantizedTensor WithShape(TensorShape shape) => new(shape, BlockSize, _codebook, _codes);

    /// <summary>The tensor with dimensions 0 and 1 exchanged, of the same codes and codebook.</summary>
    internal QuantizedTensor Transpose() => new(Exchanged(Shape), BlockSize, _codebook, _codes, !IsTransposed);

    /// <summary>Another codebook and other codes in this one's place.</summary>
    internal QuantizedTensor With(float[] codebook, ushort[] codes) => new(Shape, BlockSize, codebook, codes, IsTransposed);

    /// <summary>Whether the rows lie along dimension 1.</summary>
    public bool IsTransposed { get; }

    /// <summary>d, the number of values in a block.</summary>
    public int BlockSize { get; }

    /// <summary>k, the number of codewords.</summary>
    public int Codewords => _codebook.Length / BlockSize;

    /// <summary>C_out, the number of rows.</summary>
    public int Rows => Shape[IsTransposed ? 1 : 0];

    /// <summary>m, the number of blocks in a row.</summary>
    public int BlocksPerRow => _codes.Count / Rows;

    /// <summary>The codebook, [k, d] row-major.</summary>
    public ReadOnlySpan<float> Codebook => _codebook;

    /// <summary>The codes, [rows, m] row-major.</summary>
    public ReadOnlySpan<ushort> Codes => _codes.Wide;

    /// <summary>The codes where they are kept as bytes; otherwise empty.</summary>
    internal ReadOnlySpan<byte> ByteCodes => _codes.Bytes;

    /// <summary>Some of the codes, from <paramref name="first"/> on, as 16 bits each.</summary>
    internal void CopyCodesFrom(int first, Span<ushort> codes) => _codes.CopyTo(first, codes);

    /// <summary>The codes of a row, as 16 bits each.</summary>
    internal void CopyCodes(int row, Span<ushort> codes) => _codes.CopyTo(row * BlocksPerRow, codes);

    /// <summary>Bytes a code takes in memory and in files: 1 for k ≤ 256, else 2.</summary>
    public int BytesPerCode => Codewords <= 256 ? 1 : 2;

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> ToDense()
    {
        ReadOnlySpan<ushort> codes = Codes;
        var dense = new float[codes.Length * BlockSize];
        for (int i = 0; i < codes.Length; i++)
            _codebook.AsSpan(codes[i] * BlockSize, BlockSize).CopyTo(dense.AsSpan(i * BlockSize));
        return IsTransposed ? Exchange(dense, Exchanged(Shape)) : dense;
    }
}
