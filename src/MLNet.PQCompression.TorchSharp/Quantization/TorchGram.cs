using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Quantization;

/// <summary>The sum of the products of input blocks, on a device.</summary>
internal sealed class TorchGram(LayerGeometry geometry, int blockSize, float? scale, Device device, DeviceMemory memory) : IGram
{
    private float? _scale = scale;
    private readonly Tensor _gram = zeros(blockSize, blockSize, ScalarType.Float64, device).DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Add(Activation input, int positionsPerImage, int seed) => memory.Whole($"the input blocks of {input.Shape[0]} images", () =>
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        var gatherer = new PatchGatherer(geometry, input, positionsPerImage, seed, device);
        for (int g = 0; g < geometry.Groups; g++)
        {
            Tensor rows = gatherer.Inputs(g).reshape(-1, blockSize);
            _scale ??= RowOrigin.ScaleFor(rows.Download());
            using Scalar factor = _scale.Value.ToScalar();
            rows = rows.mul(factor);
            _gram.add_(rows.t().mm(rows).to(ScalarType.Float64), Scalars.Alpha);
        }
        return true;
    });

    /// <inheritdoc/>
    public double[] ToArray()
    {
        var values = new double[blockSize * blockSize];
        _gram.CopyTo<double>(values);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose() => _gram.Dispose();
}
