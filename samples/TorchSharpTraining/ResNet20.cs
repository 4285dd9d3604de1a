using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace TorchSharpTraining;

/// <summary>ResNet-20 for images of 32×32 (He et al. 2016, section 4.2), with the tensor names that PyTorch users give it.</summary>
internal sealed class ResNet20 : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _conv1, _bn1, _layer1, _layer2, _layer3, _linear;

    public ResNet20(int classes) : base(nameof(ResNet20))
    {
        _conv1 = Conv2d(3, 16, 3, padding: 1, bias: false);
        _bn1 = BatchNorm2d(16);
        _layer1 = Sequential(new Block(16, 16), new Block(16, 16), new Block(16, 16));
        _layer2 = Sequential(new Block(16, 32), new Block(32, 32), new Block(32, 32));
        _layer3 = Sequential(new Block(32, 64), new Block(64, 64), new Block(64, 64));
        _linear = Linear(64, classes);
        foreach ((string name, Module<Tensor, Tensor> part) in new[] { ("conv1", _conv1), ("bn1", _bn1), ("layer1", _layer1), ("layer2", _layer2), ("layer3", _layer3), ("linear", _linear) })
            register_module(name, part);
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = _bn1.call(_conv1.call(input)).relu();
        x = _layer3.call(_layer2.call(_layer1.call(x))).mean([2, 3]);
        return _linear.call(x).MoveToOuterDisposeScope();
    }

    /// <summary>Two 3×3 convolutions beside a shortcut, which takes every second pixel and pads channels with zeros where the block halves the size.</summary>
    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> _conv1, _bn1, _conv2, _bn2;
        private readonly int _more;

        public Block(int inputs, int outputs) : base(nameof(Block))
        {
            _more = outputs - inputs;
            _conv1 = Conv2d(inputs, outputs, 3, stride: _more > 0 ? 2 : 1, padding: 1, bias: false);
            _bn1 = BatchNorm2d(outputs);
            _conv2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
            _bn2 = BatchNorm2d(outputs);
            foreach ((string name, Module<Tensor, Tensor> part) in new[] { ("conv1", _conv1), ("bn1", _bn1), ("conv2", _conv2), ("bn2", _bn2) })
                register_module(name, part);
        }

        public override Tensor forward(Tensor input)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = _bn2.call(_conv2.call(_bn1.call(_conv1.call(input)).relu()));
            Tensor shortcut = _more == 0 ? input : F.pad(input.slice(2, 0, input.shape[2], 2).slice(3, 0, input.shape[3], 2), (long[])[0, 0, 0, 0, _more / 2, _more / 2]);
            return x.add(shortcut).relu().MoveToOuterDisposeScope();
        }
    }
}
