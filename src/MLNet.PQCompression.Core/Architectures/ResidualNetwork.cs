using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Architectures;

/// <summary>Lays out the nodes of an <see cref="Architecture"/>.</summary>
internal sealed class ResidualNetwork
{
    private const int Expansion = 4;

    private readonly Architecture _architecture;
    private readonly NetworkDefinition _network;
    private int _channels = 3;

    private ResidualNetwork(Architecture architecture) =>
        (_architecture, _network) = (architecture, new("input", new(-1, _channels, architecture.ImageSize, architecture.ImageSize)));

    public static NetworkDefinition Define(Architecture architecture) => new ResidualNetwork(architecture).Define();

    private NetworkDefinition Define()
    {
        string x = _network.Input;
        x = Convolve("conv1", "bn1", x, _architecture.Width, _architecture.StemKernel, _architecture.StemReduces ? 2 : 1);
        x = Relu("relu", x);
        if (_architecture.StemReduces)
            x = _network.Add("maxpool", new MaxPool(Window.Square(3, 2, 1)), x);
        for (int stage = 0; stage < _architecture.Depths.Length; stage++)
            for (int block = 0; block < _architecture.Depths[stage]; block++)
                x = Block($"layer{stage + 1}.{block}", x, _architecture.Width << stage, stage > 0 && block == 0 ? 2 : 1);
        x = _network.Add("avgpool", new GlobalAveragePool(), x);
        x = _network.Add("flatten", new Flatten(), x);
        _network.Output = _network.Add(
            _architecture.Classifier, "logits", new Gemm(TransposeB: true), x,
            _network.Parameter($"{_architecture.Classifier}.weight", new(-1, _channels)), _network.Parameter($"{_architecture.Classifier}.bias", new(-1)));
        return _network;
    }

    private string Block(string name, string x, int planes, int stride)
    {
        (string input, int inputChannels) = (x, _channels);
        if (_architecture.Bottleneck)
        {
            x = Relu($"{name}.relu1", Convolve($"{name}.conv1", $"{name}.bn1", x, planes * _architecture.GroupWidth / 64 * _architecture.Groups, 1));
            x = Relu($"{name}.relu2", Convolve($"{name}.conv2", $"{name}.bn2", x, _channels, 3, stride, _architecture.Groups));
            x = Convolve($"{name}.conv3", $"{name}.bn3", x, planes * Expansion, 1);
        }
        else
        {
            x = Relu($"{name}.relu1", Convolve($"{name}.conv1", $"{name}.bn1", x, planes, 3, stride));
            x = Convolve($"{name}.conv2", $"{name}.bn2", x, planes, 3);
        }
        string shortcut = stride == 1 && inputChannels == _channels ? input : Shortcut(name, input, inputChannels, stride);
        return Relu($"{name}.relu", _network.Add($"{name}.add", new Binary(BinaryFunction.Add), x, shortcut));
    }

    private string Shortcut(string block, string x, int inputChannels, int stride)
    {
        if (!_architecture.PaddedShortcut)
        {
            int outputChannels = _channels;
            _channels = inputChannels;
            return Convolve($"{block}.downsample.0", $"{block}.downsample.1", x, outputChannels, 1, stride);
        }
        int more = _channels - inputChannels;
        x = _network.Add($"{block}.shortcut.slice", new Slice([new(2, 0, int.MaxValue, stride), new(3, 0, int.MaxValue, stride)]), x);
        return _network.Add($"{block}.shortcut.pad", new Pad([0, more / 2, 0, 0], [0, more - more / 2, 0, 0]), x);
    }

    private string Convolve(string name, string norm, string x, int channels, int kernel, int stride = 1, int groups = 1)
    {
        string weight = _network.Parameter($"{name}.weight", new(channels, _channels / groups, kernel, kernel));
        x = _network.Add(name, new Conv(Window.Square(kernel, stride, kernel / 2), groups), x, weight);
        _channels = channels;
        _network.Ignore($"{norm}.num_batches_tracked");
        string[] parameters = ["weight", "bias", "running_mean", "running_var"];
        return _network.Add(norm, new BatchNormalization(), [x, .. parameters.Select(p => _network.Parameter($"{norm}.{p}", new(channels)))]);
    }

    private string Relu(string name, string x) => _network.Add(name, new Unary(UnaryFunction.Relu), x);
}
