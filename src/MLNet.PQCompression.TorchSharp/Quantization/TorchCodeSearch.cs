using MLNet.PQCompression.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Quantization;

/// <summary>
/// The search on a device: one block position at a time, all rows of all groups at once, by eight kernels; codes, error and gradient never leave the device. Sums over
/// codewords' blocks, k·d values, do, since conjugate gradients are few and small.
/// </summary>
/// <remarks>Matrices over rows are [groups, n, rows]; codes [m, groups, rows].</remarks>
internal sealed class TorchCodeSearch : ICodeSearch
{
    private readonly Device _device;
    private readonly DeviceMemory _memory;
    private readonly long _groups, _rows, _n, _k;
    private readonly Tensor _hessian, _diagonal, _target, _weights, _codebook, _codes, _error, _gradient;
    private Tensor? _queries, _decoded, _product;

    /// <summary>Brings a layer to the device; all codes are 0.</summary>
    public TorchCodeSearch(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook, Device device, DeviceMemory memory)
    {
        LayerGeometry geometry = objective.Geometry;
        (_device, _memory, BlockSize, BlocksPerRow) = (device, memory, blockSize, geometry.RowLength / blockSize);
        (_groups, _rows, _n, _k) = (geometry.Groups, geometry.RowsPerGroup, geometry.RowLength, codebook.Length / blockSize);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor PerGroup(float[][] values, params long[] shape) => stack([.. values.Select(v => HostMemory.Upload<float>(v, shape, device))], 0);
        _hessian = PerGroup(objective.Hessians, _n, _n);
        _diagonal = _hessian.view(_groups, BlocksPerRow, BlockSize, BlocksPerRow, BlockSize).diagonal(0, 1, 3).permute(0, 3, 1, 2).contiguous();
        _target = PerGroup(objective.Targets, _n, objective.Stride).narrow(2, 0, _rows).contiguous();
        _weights = PerGroup(objective.RowWeights, objective.Stride).narrow(1, 0, _rows).to(ScalarType.Float64).contiguous();
        _codebook = HostMemory.Upload(codebook, [_k, BlockSize], device);
        _codes = zeros(BlocksPerRow, _groups, _rows, ScalarType.Int64, device);
        _error = zeros_like(_target);
        _gradient = zeros_like(_target);
        foreach (Tensor? tensor in All)
            tensor?.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public int BlockSize { get; }

    /// <inheritdoc/>
    public int BlocksPerRow { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Codebook => _codebook.Download();

    private Tensor?[] All => [_hessian, _diagonal, _target, _weights, _codebook, _codes, _error, _gradient, _queries, _decoded, _product];

    /// <inheritdoc/>
    public void SetCodebook(ReadOnlySpan<float> values)
    {
        using Tensor uploaded = HostMemory.Upload(values, [_k, BlockSize], _device);
        _codebook.copy_(uploaded);
    }

    /// <inheritdoc/>
    public ushort[] RowMajorCodes()
    {
        using Tensor rowMajor = _codes.permute(1, 2, 0);
        return rowMajor.DownloadCodes();
    }

    /// <inheritdoc/>
    public int AssignByPosition() => OnDevice(() =>
    {
        Tensor queries = Queries(), offsets = Offsets(), before = _codes.clone();
        for (int b = 0; b < BlocksPerRow; b++)
        {
            using DisposeScope position = NewDisposeScope();
            _codes.select(0, b).copy_(Nearest(Block(queries, b).transpose(1, 2), offsets, b));
        }
        return (int)_codes.ne(before).sum().item<long>();
    });

    /// <inheritdoc/>
    public double[] SumQueries() => OnDevice(() => SumOverBlocks(Queries()));

    /// <inheritdoc/>
    public double Refresh() => OnDevice(() =>
    {
        _error.copy_(Decode(_codebook, _codes).sub(_target));
        _gradient.copy_(_hessian.bmm(_error));
        return WeightedDot(_error, _gradient);
    });

    /// <inheritdoc/>
    public int Sweep(int[] order) => OnDevice(() =>
    {
        Tensor before = _codes.clone();
        Sweep(order, _codes, _gradient, null);
        return (int)_codes.ne(before).sum().item<long>();
    });

    /// <inheritdoc/>
    public void Perturb(float temperature, ReadOnlySpan<int> seeds)
    {
        int[] tries = seeds.ToArray();
        OnDevice(() =>
        {
            Perturbation.Run(this, temperature, tries);
            return true;
        });
    }

    /// <inheritdoc/>
    public double[] SumGradient() => OnDevice(() => SumOverBlocks(_gradient));

    /// <inheritdoc/>
    public double[] SumCurvature() => OnDevice(() =>
    {
        // counts[g·m + b, c]: the weight of the rows whose block b is codeword c
        Tensor codes = _codes.permute(1, 0, 2).reshape(_groups * BlocksPerRow, _rows);
        Tensor weights = _weights.unsqueeze(1).expand(_groups, BlocksPerRow, _rows).reshape(_groups * BlocksPerRow, _rows);
        Tensor counts = zeros(_groups * BlocksPerRow, _k, ScalarType.Float64, _device).scatter_add_(1, codes, weights);
        return Doubles(counts.t().mm(_diagonal.view(_groups * BlocksPerRow, BlockSize * BlockSize).to(ScalarType.Float64)));
    });

    /// <inheritdoc/>
    public double[] SumImage(double[] direction) => OnDevice(() =>
    {
        _decoded ??= zeros_like(_target).DetachFromDisposeScope();
        _product ??= zeros_like(_target).DetachFromDisposeScope();
        Tensor step = HostMemory.Upload<double>(direction, [_k, BlockSize], _device).to(ScalarType.Float32);
        _decoded.copy_(Decode(step, _codes));
        _product.copy_(_hessian.bmm(_decoded));
        return SumOverBlocks(_product);
    });

    /// <inheritdoc/>
    public void Step(double[] direction, double length) => OnDevice(() =>
    {
        using Scalar factor = length.ToScalar();
        _codebook.add_(HostMemory.Upload<double>(direction, [_k, BlockSize], _device).mul(factor).to(ScalarType.Float32), Scalars.Alpha);
        _error.add_(_decoded!, factor);
        _gradient.add_(_product!, factor);
        return true;
    });

    /// <inheritdoc/>
    public double Energy() => OnDevice(() => WeightedDot(_target, _hessian.bmm(_target)));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in All)
            tensor?.Dispose();
    }

    /// <summary>
    /// Visits the block positions in order: with q = R_b − H_bb·ŵ_b each row's block becomes the codeword c of the least ½cᵀH_bb·c + cᵀq, and R follows. Columns may be the rows
    /// several times over.
    /// </summary>
    /// <param name="order">Each position once.</param>
    /// <param name="codes">[m, groups, columns]; changed in place.</param>
    /// <param name="gradient">R, [groups, n, columns]; changed in place.</param>
    /// <param name="tilt">Null, or what is added to the q of each position, in units of its gradient's root mean square: [m, groups, columns, d].</param>
    private void Sweep(int[] order, Tensor codes, Tensor gradient, Tensor? tilt)
    {
        Tensor offsets = Offsets();
        foreach (int b in order)
        {
            using DisposeScope position = NewDisposeScope();
            Tensor own = codes.select(0, b), present = Decode(own), slope = Block(gradient, b);
            Tensor queries = AddProduct(slope.transpose(1, 2), present, _diagonal.select(1, b), -1);
            if (tilt is not null)
                queries = queries.add(tilt.select(0, b).mul(slope.square().mean([1, 2], true).sqrt()), Scalars.Alpha);
            Tensor best = Nearest(queries, offsets, b);
            Tensor change = Decode(best).sub(present).transpose(1, 2);
            Tensor columns = _hessian.narrow(2, (long)b * BlockSize, BlockSize);
            if (_groups == 1)
                gradient.select(0, 0).addmm_(columns.select(0, 0), change.select(0, 0), 1, 1);
            else
                gradient.add_(columns.bmm(change), Scalars.Alpha);
            own.copy_(best);
        }
    }

    /// <summary>½cᵀH_bb·c for each codeword, [m, groups, 1, k].</summary>
    private Tensor Offsets()
    {
        Tensor codebook = _codebook.unsqueeze(0).expand(_groups * BlocksPerRow, _k, BlockSize);
        return codebook.bmm(_diagonal.view(_groups * BlocksPerRow, BlockSize, BlockSize)).mul(codebook).sum(2L).mul(Scalars.Half)
            .view(_groups, BlocksPerRow, 1, _k).transpose(0, 1).contiguous();
    }

    /// <summary>The codeword of the least offset + q·c for queries [groups, columns, d]: [groups, columns].</summary>
    private Tensor Nearest(Tensor queries, Tensor offsets, int b) =>
        AddProduct(offsets.select(0, b), queries, _codebook.t().unsqueeze(0).expand(_groups, BlockSize, _k), 1).argmin(2);

    /// <summary>input + sign·a·b group by group, by one kernel where there is one group. (TorchSharp's baddbmm takes its operands in another order than it says.)</summary>
    private static Tensor AddProduct(Tensor input, Tensor a, Tensor b, int sign) =>
        a.shape[0] == 1 ? addmm(input.select(0, 0), a.select(0, 0), b.select(0, 0), 1, sign).unsqueeze(0)
        : sign > 0 ? a.bmm(b).add_(input, Scalars.Alpha) : input.sub(a.bmm(b));

    /// <summary>The codewords of one position, [groups, columns, d].</summary>
    private Tensor Decode(Tensor codes) => _codebook.index_select(0, codes.reshape(-1)).view(_groups, -1, BlockSize);

    /// <summary>All blocks, [groups, n, columns].</summary>
    private Tensor Decode(Tensor codebook, Tensor codes) =>
        codebook.index_select(0, codes.reshape(-1)).view(BlocksPerRow, _groups, -1, BlockSize).permute(1, 0, 3, 2).reshape(_groups, _n, -1);

    private Tensor Block(Tensor matrix, int b) => matrix.narrow(1, (long)b * BlockSize, BlockSize);

    /// <summary>−H_bb·w_b, [groups, n, rows].</summary>
    private Tensor Queries()
    {
        _queries ??= _diagonal.view(_groups * BlocksPerRow, BlockSize, BlockSize).bmm(_target.view(_groups * BlocksPerRow, BlockSize, _rows)).neg().view(_groups, _n, _rows).DetachFromDisposeScope();
        return _queries;
    }

    /// <summary>Σ s_o·M_b over each codeword's blocks, in float64.</summary>
    private double[] SumOverBlocks(Tensor matrix)
    {
        Tensor weighted = matrix.to(ScalarType.Float64).mul(_weights.unsqueeze(1));
        Tensor blocks = weighted.view(_groups, BlocksPerRow, BlockSize, _rows).permute(1, 0, 3, 2).reshape(-1, BlockSize);
        return Doubles(zeros(_k, BlockSize, ScalarType.Float64, _device).index_add_(0, _codes.reshape(-1), blocks, Scalars.One));
    }

    private double WeightedDot(Tensor a, Tensor b) => a.to(ScalarType.Float64).mul(b).sum(1L).mul(_weights).sum().item<double>();

    private static double[] Doubles(Tensor tensor)
    {
        var values = new double[tensor.numel()];
        tensor.CopyTo<double>(values);
        return values;
    }

    private T OnDevice<T>(Func<T> work) => _memory.Whole($"searching the codes of a layer of {_groups * _rows} rows of {_n}", () =>
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        return work();
    });

    /// <summary>Tries side by side, as further columns: each codeword's score is worked out for all tries by one kernel.</summary>
    private static class Perturbation
    {
        /// <summary>Greedy sweeps that follow a tilted one.</summary>
        private const int SweepsAfterTilt = 2;

        public static void Run(TorchCodeSearch search, float temperature, int[] seeds)
        {
            int tries = seeds.Length;
            Tensor codes = search._codes.repeat(1, 1, tries), gradient = search._gradient.repeat(1, 1, tries);
            var random = new Random(seeds[0]);
            int[] order = [.. Enumerable.Range(0, search.BlocksPerRow)];
            Tensor tilt = Noise(search, tries, temperature, seeds[0]);
            random.Shuffle(order);
            search.Sweep(order, codes, gradient, tilt);
            for (int i = 0; i < SweepsAfterTilt; i++)
            {
                random.Shuffle(order);
                search.Sweep(order, codes, gradient, null);
            }
            // Each row keeps the best of its own and the tries.
            codes = cat([search._codes, codes], 2).view(search.BlocksPerRow, search._groups, tries + 1, search._rows);
            gradient = cat([search._gradient, gradient], 2).view(search._groups, search._n, tries + 1, search._rows);
            Tensor error = search.Decode(search._codebook, codes).view(search._groups, search._n, tries + 1, search._rows).sub(search._target.unsqueeze(2));
            Tensor best = error.to(ScalarType.Float64).mul(gradient).sum(1L).argmin(1).unsqueeze(1).unsqueeze(1); // [groups, 1, 1, rows]
            search._gradient.copy_(gradient.gather(2, best.expand(search._groups, search._n, 1, search._rows)).squeeze(2));
            Tensor kept = codes.transpose(0, 1).gather(2, best.expand(search._groups, search.BlocksPerRow, 1, search._rows)).squeeze(2);
            search._codes.copy_(kept.transpose(0, 1));
        }

        /// <summary>Uniform noise whose standard deviation is the temperature, [m, groups, columns, d]. It is drawn on the host: TorchSharp makes generators for the CPU alone, whatever device they are asked for.</summary>
        private static Tensor Noise(TorchCodeSearch search, int tries, float temperature, int seed)
        {
            using var draws = new Generator((ulong)(uint)seed);
            using Scalar low = 0.5f.ToScalar(), width = (2 * temperature * MathF.Sqrt(3)).ToScalar();
            Tensor uniform = rand([search.BlocksPerRow, search._groups, search._rows * tries, search.BlockSize], ScalarType.Float32, CPU, false, draws);
            return HostMemory.Move(uniform, search._device).sub(low).mul_(width);
        }
    }
}
