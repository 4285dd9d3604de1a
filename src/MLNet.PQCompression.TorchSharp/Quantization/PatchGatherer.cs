using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.PQCompression.TorchSharp.Quantization;

/// <summary>The rows that <see cref="PatchSampler"/> chooses, gathered on a device: activations go there whole, and taps are read by index.</summary>
internal sealed class PatchGatherer
{
    private readonly LayerGeometry _geometry;
    private readonly Tensor _planes;
    private readonly Tensor? _taps;
    private readonly Tensor _outputs;

    /// <summary>Brings a batch's inputs to the device. All tensors belong to the present dispose scope.</summary>
    public PatchGatherer(LayerGeometry geometry, Activation input, int positionsPerImage, int seed, Device device)
    {
        _geometry = geometry;
        var sampler = new PatchSampler(geometry, input, positionsPerImage, seed);
        (Images, Positions) = (input.Shape[0], sampler.Count / input.Shape[0]);
        long[] chosen = [.. sampler.Positions.SelectMany(image => image.Select(p => (long)p))];
        _outputs = HostMemory.Upload<long>(chosen, [Images, 1, Positions], device);
        Tensor x = HostMemory.Upload<float>(input.Span, [.. input.Shape.Dimensions.Select(d => (long)d)], device);
        if (geometry.Window is not { } w)
        {
            _planes = x.reshape(Images, -1, 1);
            return;
        }
        int width = w.OutputWidth(input.Shape[3]), stride = input.Shape[3] + w.PadLeft + w.PadRight;
        long[] corners = [.. chosen.Select(p => p / width * w.StrideY * stride + p % width * w.StrideX)];
        long[] offsets = [.. Enumerable.Range(0, w.KernelHeight).SelectMany(y => Enumerable.Range(0, w.KernelWidth).Select(i => (long)y * w.DilationY * stride + i * w.DilationX))];
        _planes = F.pad(x, (long[])[w.PadLeft, w.PadRight, w.PadTop, w.PadBottom]).reshape(Images, input.Shape[1], -1);
        _taps = HostMemory.Upload<long>(corners, [Images, 1, Positions, 1], device).add(HostMemory.Upload<long>(offsets, [1, 1, 1, offsets.Length], device), Scalars.Alpha).reshape(Images, 1, -1);
    }

    /// <summary>The images of the batch.</summary>
    public int Images { get; }

    /// <summary>The rows that each image gives.</summary>
    public int Positions { get; }

    /// <summary>The inputs of a group: Images×Positions×n.</summary>
    public Tensor Inputs(int group)
    {
        long channels = _planes.shape[1] / _geometry.Groups;
        Tensor own = _planes.narrow(1, group * channels, channels);
        if (_taps is null)
            return own.reshape(Images, 1, channels);
        return own.gather(2, _taps.expand(Images, channels, -1)).view(Images, channels, Positions, -1).permute(0, 2, 1, 3).reshape(Images, Positions, -1);
    }

    /// <summary>The outputs of a group at the same positions: Images×Positions×RowsPerGroup.</summary>
    /// <param name="output">Images×C_out×H×W or Images×C_out on the device.</param>
    /// <param name="group">The group.</param>
    public Tensor Outputs(Tensor output, int group)
    {
        int width = _geometry.RowsPerGroup;
        Tensor own = output.reshape(Images, _geometry.Rows, -1).narrow(1, (long)group * width, width);
        return own.gather(2, _outputs.expand(Images, width, -1)).permute(0, 2, 1).reshape(Images, Positions, width);
    }
}
