using MLNet.PQCompression.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Quantization;

/// <summary>The steps of k-means on a device: with G = LLᵀ the E-step is a matrix product of mapped blocks and codewords.</summary>
internal sealed class TorchClusters : IClusters
{
    /// <summary>Scores that are worked out at once.</summary>
    private const long MostScores = 1 << 26;

    private readonly Tensor _blocks, _mapped;
    private readonly Tensor? _factor;
    private readonly Tensor _codebook, _codes, _errors;

    /// <summary>Brings blocks and codebook to the device.</summary>
    public TorchClusters(ReadOnlySpan<float> blocks, int d, double[]? factor, ReadOnlySpan<float> codebook, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        _blocks = HostMemory.Upload(blocks, [blocks.Length / d, d], device);
        _factor = factor is null ? null : HostMemory.Upload<double>(factor, [d, d], device);
        _codebook = HostMemory.Upload(codebook, [codebook.Length / d, d], device);
        _codes = zeros(_blocks.shape[0], ScalarType.Int64, device);
        _errors = zeros(_blocks.shape[0], ScalarType.Float64, device);
        _mapped = Map(_blocks);
        foreach (Tensor? tensor in All)
            tensor?.DetachFromDisposeScope();
    }

    private Tensor?[] All => [_blocks, _mapped, _factor, _codebook, _codes, _errors];

    /// <inheritdoc/>
    public ReadOnlySpan<float> Codebook => _codebook.Download();

    /// <inheritdoc/>
    public ReadOnlySpan<ushort> Codes => _codes.DownloadCodes();

    /// <inheritdoc/>
    public ReadOnlySpan<double> Errors
    {
        get
        {
            var errors = new double[_errors.numel()];
            _errors.CopyTo<double>(errors);
            return errors;
        }
    }

    /// <inheritdoc/>
    public (double Objective, int Reassigned) Assign()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor codewords = Map(_codebook), offsets = codewords.square().sum(1L).mul(Scalars.Half), transposed = codewords.t();
        long count = _mapped.shape[0], size = Math.Max(1, MostScores / codewords.shape[0]);
        var codes = new List<Tensor>();
        for (long first = 0; first < count; first += size)
        {
            using DisposeScope part = NewDisposeScope();
            codes.Add(addmm(offsets, _mapped.narrow(0, first, Math.Min(size, count - first)), transposed, 1, -1).argmin(1).MoveToOuterDisposeScope());
        }
        Tensor nearest = cat(codes, 0);
        _errors.copy_(_mapped.sub(codewords.index_select(0, nearest)).to(ScalarType.Float64).square().sum(1L));
        var reassigned = (int)nearest.ne(_codes).sum().item<long>();
        _codes.copy_(nearest);
        return (_errors.sum().item<double>(), reassigned);
    }

    /// <inheritdoc/>
    public void SetCodes(ReadOnlySpan<ushort> codes)
    {
        using Tensor uploaded = HostMemory.UploadCodes(codes, [codes.Length], _codes.device);
        _codes.copy_(uploaded);
    }

    /// <inheritdoc/>
    public void UpdateCodewords()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor sums = zeros(_codebook.shape, ScalarType.Float64, _codes.device).index_add_(0, _codes, _blocks.to(ScalarType.Float64), Scalars.One);
        Tensor sizes = _codes.bincount(null, _codebook.shape[0]).to(ScalarType.Float64).unsqueeze(1);
        _codebook.copy_(where(sizes.gt(Scalars.Zero), sums.div(sizes.clamp_min(Scalars.One)).to(ScalarType.Float32), _codebook));
    }

    /// <inheritdoc/>
    public double Objective()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        return Map(_blocks.sub(_codebook.index_select(0, _codes))).to(ScalarType.Float64).square().sum().item<double>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in All)
            tensor?.Dispose();
    }

    /// <summary>Lᵀv of each row v, worked out in float64.</summary>
    private Tensor Map(Tensor rows) => _factor is null ? rows.alias() : rows.to(ScalarType.Float64).mm(_factor).to(ScalarType.Float32);
}
