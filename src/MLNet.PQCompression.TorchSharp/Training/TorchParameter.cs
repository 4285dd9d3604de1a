using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>An initializer while it is trained: a dense tensor's values or a quantized tensor's codebook, and the decoded weight that operators read and gradients arrive at.</summary>
internal sealed class TorchParameter : IDisposable
{
    private readonly Initializer _origin;
    private readonly Tensor? _codes, _inverseCounts;
    private readonly int _codewords;
    private float[] _values = [], _gradient = [], _denseGradient = [];

    /// <summary>Brings an initializer to a device.</summary>
    public TorchParameter(string name, Initializer origin, bool trainable, Device device)
    {
        (Name, _origin, IsTrained) = (name, origin, trainable);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        long[] shape = [.. origin.Shape.Dimensions.Select(d => (long)d)];
        if (origin is QuantizedTensor q)
        {
            (BlockSize, _codewords) = (q.BlockSize, q.Codewords);
            Values = HostMemory.Upload(q.Codebook, [_codewords, BlockSize], device);
            _codes = zeros(q.Rows * (long)q.BlocksPerRow, ScalarType.Int64, device);
            _inverseCounts = zeros(_codewords, 1, ScalarType.Float32, device);
            Dense = zeros(shape, ScalarType.Float32, device);
            SetCodes(q.Codes);
        }
        else
            Values = Dense = HostMemory.Upload(origin.ToDense().Span, shape, device);
        Dense.requires_grad_(trainable);
        foreach (Tensor? tensor in All)
            tensor?.DetachFromDisposeScope();
    }

    /// <summary>The initializer's name.</summary>
    public string Name { get; }

    /// <summary>Whether it is updated.</summary>
    public bool IsTrained { get; }

    /// <summary>Whether it has a codebook.</summary>
    public bool IsQuantized => _codes is not null;

    /// <summary>d of a quantized tensor, else 0.</summary>
    public int BlockSize { get; }

    /// <summary>What is updated: the dense values, or the codebook [k, d].</summary>
    public Tensor Values { get; }

    /// <summary>What operators read; a leaf of the graph of gradients.</summary>
    public Tensor Dense { get; }

    /// <summary>How many values there are.</summary>
    public int Length => checked((int)Values.numel());

    private Tensor?[] All => IsQuantized ? [Values, Dense, _codes, _inverseCounts] : [Values];

    /// <summary>The gradient by <see cref="Values"/>, in the present dispose scope: for a codebook the mean over each codeword's blocks (equation 5).</summary>
    public Tensor Gradient()
    {
        Tensor dense = Dense.grad ?? zeros_like(Dense);
        return _codes is null
            ? dense.alias()
            : zeros(_codewords, BlockSize, ScalarType.Float32, Dense.device).index_add_(0, _codes, InRows(dense).reshape(-1, BlockSize), Scalars.One).mul_(_inverseCounts!);
    }

    /// <summary>Brings changed values to <see cref="Dense"/>.</summary>
    public void Decode()
    {
        if (_codes is null)
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        InRows(Dense).copy_(Values.index_select(0, _codes).view(InRows(Dense).shape));
    }

    /// <summary>A weight with the rows that blocks are cut from in dimension 0.</summary>
    private Tensor InRows(Tensor weight) => _origin is QuantizedTensor { IsTransposed: true } ? weight.transpose(0, 1) : weight.alias();

    /// <summary>Replaces the codes.</summary>
    /// <exception cref="ArgumentException">The number differs, or a code is outside the codebook.</exception>
    public void SetCodes(ReadOnlySpan<ushort> codes)
    {
        if (_codes is null || codes.Length != _codes.numel())
            throw new ArgumentException($"'{Name}' has {_codes?.numel() ?? 0} codes, not {codes.Length}.", nameof(codes));
        var counts = new float[_codewords];
        foreach (ushort code in codes)
            counts[code < _codewords ? code : throw new ArgumentException($"Code {code} is outside the {_codewords} codewords of '{Name}'.", nameof(codes))]++;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        _codes.copy_(HostMemory.UploadCodes(codes, _codes.shape, _codes.device));
        _inverseCounts!.copy_(HostMemory.Upload<float>(Array.ConvertAll(counts, c => 1 / Math.Max(1, c)), _inverseCounts.shape, _codes.device));
        Decode();
    }

    /// <summary>Replaces the values.</summary>
    /// <exception cref="ArgumentException">The number differs.</exception>
    public void SetValues(ReadOnlySpan<float> values)
    {
        if (values.Length != Length)
            throw new ArgumentException($"'{Name}' has {Length} values, not {values.Length}.", nameof(values));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Values.copy_(HostMemory.Upload(values, Values.shape, Values.device));
        Decode();
    }

    /// <summary>The values as they now are, until they are asked for again.</summary>
    public ReadOnlySpan<float> HostValues => Read(ref _values, Values);

    /// <summary>The gradient by the values as it now is, until it is asked for again.</summary>
    public ReadOnlySpan<float> HostGradient
    {
        get
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable still = no_grad();
            return Read(ref _gradient, Gradient());
        }
    }

    /// <summary>The gradient by the decoded weight as it now is, until it is asked for again.</summary>
    public ReadOnlySpan<float> HostDenseGradient
    {
        get
        {
            using DisposeScope scope = NewDisposeScope();
            return Read(ref _denseGradient, Dense.grad ?? zeros_like(Dense));
        }
    }

    /// <summary>The initializer as it now is.</summary>
    public Initializer ToInitializer() => _origin switch
    {
        QuantizedTensor q => q.With(Values.Download(), _codes!.DownloadCodes()),
        DenseTensor d => new DenseTensor(d.Shape, Values.Download(), d.Storage),
        _ => throw new InvalidOperationException($"'{Name}' is of an unknown kind."),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in All)
            tensor?.Dispose();
    }

    private static float[] Read(ref float[] room, Tensor tensor)
    {
        if (room.Length != tensor.numel())
            room = new float[tensor.numel()];
        tensor.CopyTo<float>(room);
        return room;
    }
}
