using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Quantization;

/// <summary>The sums of <see cref="OutputStatistics"/> on a device; they come to the host once a layer.</summary>
internal sealed class TorchMoments : IMoments
{
    private readonly OutputStatistics _statistics;
    private readonly Device _device;
    private readonly DeviceMemory _memory;
    private readonly GroupSums[] _groups;

    /// <summary>Empty sums for a layer.</summary>
    public TorchMoments(LayerGeometry geometry, int views, SumOrigins? origins, Device device, DeviceMemory memory)
    {
        (_statistics, _device, _memory) = (new(geometry, views, origins), device, memory);
        _groups = memory.Whole($"the moments of inputs of {geometry.RowLength} values", () => (GroupSums[])[.. Enumerable.Range(0, geometry.Groups).Select(g => new GroupSums(_statistics, g, device))]);
    }

    private LayerGeometry Geometry => _statistics.Geometry;

    /// <inheritdoc/>
    public void Add(Activation input, Activation output, int positionsPerImage, int seed, int batch) => _memory.Whole($"the inputs of {input.Shape[0]} images to a layer", () =>
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        var gatherer = new PatchGatherer(Geometry, input, positionsPerImage, seed, _device);
        Tensor outputs = HostMemory.Upload<float>(output.Span, [.. output.Shape.Dimensions.Select(d => (long)d)], _device);
        int first = (gatherer.Images + batch % 2) / 2;
        for (int g = 0; g < _groups.Length; g++)
        {
            using DisposeScope group = NewDisposeScope();
            _groups[g].Add(gatherer.Inputs(g), gatherer.Outputs(outputs, g), first);
        }
        return true;
    });

    /// <inheritdoc/>
    public OutputStatistics ToStatistics()
    {
        for (int g = 0; g < _groups.Length; g++)
            _groups[g].Finish();
        return _statistics;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (GroupSums group in _groups)
            group.Dispose();
    }

    /// <summary>The sums of one group: of each half of the images, and how images differ.</summary>
    private sealed class GroupSums : IDisposable
    {
        private readonly OutputStatistics _statistics;
        private readonly int _group;
        private readonly Tensor[] _inputs, _products, _inputSums, _outputSums;
        private readonly long[] _counts = new long[2];
        private readonly Tensor _signs, _spreadSums, _spreadSquares;
        private Tensor? _inputOrigin, _outputOrigin;
        private long _images;

        public GroupSums(OutputStatistics statistics, int group, Device device)
        {
            (_statistics, _group) = (statistics, group);
            (long n, long width) = (statistics.Geometry.RowLength, statistics.Geometry.RowsPerGroup);
            using DisposeScope scope = NewDisposeScope();
            Tensor[] Pair(ScalarType type, params long[] shape) => [zeros(shape, type, device), zeros(shape, type, device)];
            (_inputs, _products) = (Pair(ScalarType.Float32, n, n), Pair(ScalarType.Float32, n, width));
            (_inputSums, _outputSums) = (Pair(ScalarType.Float64, n), Pair(ScalarType.Float64, width));
            _signs = HostMemory.Upload(statistics.Spreads[group].Signs, [n, CovarianceSpread.Probes], device);
            (_spreadSums, _spreadSquares) = (zeros(n, CovarianceSpread.Probes, ScalarType.Float64, device), zeros(1, ScalarType.Float64, device));
            foreach (Tensor tensor in All)
                tensor.DetachFromDisposeScope();
        }

        private IEnumerable<Tensor> All => [.. _inputs, .. _products, .. _inputSums, .. _outputSums, _signs, _spreadSums, _spreadSquares];

        /// <summary>Adds rows, images×positions×n and images×positions×width; the first so many images belong to the first half.</summary>
        public void Add(Tensor x, Tensor y, int first)
        {
            if (_inputOrigin is null)
                SetOrigins(x, y);
            (x, y) = (Move(x, _inputOrigin!, _statistics.Origins.Inputs[_group].Scale), Move(y, _outputOrigin!, _statistics.Origins.Outputs[_group].Scale));
            for (int half = 0; half < 2; half++)
            {
                using DisposeScope scope = NewDisposeScope();
                long images = half == 0 ? first : x.shape[0] - first;
                if (images == 0)
                    continue;
                Tensor inputs = x.narrow(0, half * (long)first, images).reshape(-1, x.shape[2]), outputs = y.narrow(0, half * (long)first, images).reshape(-1, y.shape[2]);
                Tensor transposed = inputs.t();
                _inputs[half].addmm_(transposed, inputs);
                _products[half].addmm_(transposed, outputs);
                _inputSums[half].add_(inputs.sum(0L), Scalars.Alpha);
                _outputSums[half].add_(outputs.sum(0L), Scalars.Alpha);
                _counts[half] += inputs.shape[0];
            }
            AddSpread(x);
        }

        /// <summary>Brings the sums to the host.</summary>
        public void Finish()
        {
            for (int half = 0; half < 2; half++)
                _statistics.Halves[half].Add(_group, _counts[half], _inputs[half].Download(), _products[half].Download(), Doubles(_inputSums[half]), Doubles(_outputSums[half]));
            _statistics.Spreads[_group].Add(Doubles(_spreadSums), Doubles(_spreadSquares)[0], _images);
        }

        public void Dispose()
        {
            foreach (Tensor tensor in All)
                tensor.Dispose();
            _inputOrigin?.Dispose();
            _outputOrigin?.Dispose();
        }

        /// <summary>The host finds the origins from the first batch, so that they are those of the managed engine.</summary>
        private void SetOrigins(Tensor x, Tensor y)
        {
            (RowOrigin inputs, RowOrigin outputs) = (_statistics.Origins.Inputs[_group], _statistics.Origins.Outputs[_group]);
            _statistics.Origins.Set(_group, x.Download(), y.Download());
            _inputOrigin = HostMemory.Upload(inputs.Values, [inputs.Values.Length], x.device).DetachFromDisposeScope();
            _outputOrigin = HostMemory.Upload(outputs.Values, [outputs.Values.Length], x.device).DetachFromDisposeScope();
        }

        private static Tensor Move(Tensor rows, Tensor origin, float scale)
        {
            using Scalar factor = scale.ToScalar();
            return rows.sub(origin).mul_(factor);
        }

        /// <summary>A_i·z for each image, A_i being the covariance of its rows about the origin.</summary>
        private void AddSpread(Tensor x)
        {
            Tensor products = x.reshape(-1, x.shape[2]).mm(_signs).view(x.shape[0], x.shape[1], -1);
            using Scalar rows = (1.0 / x.shape[1]).ToScalar(), probes = (1.0 / CovarianceSpread.Probes).ToScalar();
            Tensor images = x.transpose(1, 2).bmm(products).to(ScalarType.Float64).mul(rows);
            _spreadSums.add_(images.sum(0L), Scalars.Alpha);
            _spreadSquares.add_(images.square().sum().mul(probes), Scalars.Alpha);
            _images += x.shape[0];
        }

        private static double[] Doubles(Tensor tensor)
        {
            var values = new double[tensor.numel()];
            tensor.CopyTo<double>(values);
            return values;
        }
    }
}
