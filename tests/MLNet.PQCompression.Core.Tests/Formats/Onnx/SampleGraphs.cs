using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

/// <summary>Small graphs with random weights.</summary>
internal static class SampleGraphs
{
    public static readonly TensorShape EveryOperatorInput = new(2, 8, 12, 12);

    /// <summary>A graph in which every operator occurs, most in more than one form.</summary>
    public static ModelGraph EveryOperator(int seed = 1)
    {
        var b = new Builder(seed);
        string x = b.Add("stem", new Conv(Window.Square(3, 1, 1)), "input", b.Weight("stem.weight", 16, 8, 3, 3), b.Weight("stem.bias", 16));
        x = b.Norm("bn1", x, 16);
        x = b.Add("swish", new Unary(UnaryFunction.HardSwish), x);
        string y = b.Add("depthwise", new Conv(new Window(3, 5, 1, 1, 1, 2, 1, 2), 16), x, b.Weight("depthwise.weight", 16, 1, 3, 5));
        y = b.Norm("bn2", y, 16, 1e-3f);
        y = b.Add("relu6", new Clip(0, 6), y);
        y = b.Add("grouped", new Conv(new Window(3, 3, 1, 1, 2, 2, 2, 2, 2, 2), 4), y, b.Quantized("grouped.weight", 9, 20, 16, 4, 3, 3));
        string gate = b.Add("squeeze", new GlobalAveragePool(), y);
        gate = b.Add("reduce", new Conv(Window.Square(1)), gate, b.Weight("reduce.weight", 4, 16, 1, 1));
        gate = b.Add("relu", new Unary(UnaryFunction.Relu), gate);
        gate = b.Add("expand", new Conv(Window.Square(1)), gate, b.Weight("expand.weight", 16, 4, 1, 1));
        gate = b.Add("gate", new HardSigmoid(1f / 6), gate);
        y = b.Add("scaled", new Binary(BinaryFunction.Mul), y, gate);
        y = b.Add("sum", new Binary(BinaryFunction.Add), x, y);
        y = b.Add("offset", new Binary(BinaryFunction.Sub), y, b.Weight("offset.value", 1, 16, 1, 1));
        y = b.Add("ratio", new Binary(BinaryFunction.Div), y, b.Positive("ratio.value"));
        string max = b.Add("max", new MaxPool(Window.Square(3, 2, 0), CeilMode: true), y);
        string mean = b.Add("mean", new AveragePool(Window.Square(3, 2, 1), CountIncludePad: true), y);
        string mean2 = b.Add("mean2", new AveragePool(Window.Square(2, 2)), y);
        string slice = b.Add("slice", new Slice([new(2, 0, int.MaxValue, 2), new(3, 0, int.MaxValue, 2), new(1, 4, -4)]), y);
        slice = b.Add("pad", new Pad([0, 3, 0, 0], [0, 5, 0, 0], 0.25f), slice);
        slice = b.Add("pad0", new Pad([0, 0, 0, 0], [0, 0, 0, 0]), slice);
        y = b.Add("concat", new Concat(1), max, mean, mean2, slice);
        y = b.Add("sigmoid", new Unary(UnaryFunction.Sigmoid), y);
        y = b.Add("lrn", new Lrn(5, 1e-2f), y);
        y = b.Add("leaky", new LeakyRelu(0.2f), b.Add("tanh", new Unary(UnaryFunction.Tanh), y));
        y = b.Add("project", new Conv(Window.Square(1)), y, b.Quantized("project.weight", 4, 300, 24, 64, 1, 1));
        y = b.Add("shuffle1", new Reshape([0, 4, 6, 6, 6]), y);
        y = b.Add("shuffle2", new Transpose([0, 2, 1, 3, 4]), y);
        y = b.Add("shuffle3", new Reshape([0, 24, 6, 6]), y);
        string a = b.Add("flat1", new Flatten(), b.Add("maximum", new GlobalMaxPool(), y));
        string c = b.Add("average", new Reduce(ReduceFunction.Mean, [2, 3], KeepDimensions: false), y);
        string d = b.Add("flat2", new Reshape([0, -1]), b.Add("average2", new Reduce(ReduceFunction.Mean, [2, 3]), y));
        y = b.Add("joined", new Concat(1), a, c, d);
        y = b.Add("hidden", new MatMul(), y, b.Weight("hidden.table", 72, 16));
        y = b.Add("fc", new Gemm(TransposeB: true), y, b.Quantized("fc.weight", 4, 8, 10, 16), b.Weight("fc.bias", 10));
        y = b.Add("fc2", new Gemm(0.5f, 2), y, b.Weight("fc2.weight", 10, 7), b.Weight("fc2.bias", 7));
        b.Add("output", new Softmax(), y);
        return b.Build("everything", new(-1, 8, 12, 12), new(-1, 7));
    }

    /// <summary>Collects nodes whose values have the nodes' names.</summary>
    internal sealed class Builder(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly List<Node> _nodes = [];
        private readonly Dictionary<string, Initializer> _weights = [];

        public string Add(string name, Operator operation, params ImmutableArray<string> inputs)
        {
            _nodes.Add(new(name, operation, inputs, name));
            return name;
        }

        public string Norm(string name, string x, int channels, float epsilon = 1e-5f)
        {
            string[] inputs = [x, Weight(name + ".weight", channels), Weight(name + ".bias", channels), Weight(name + ".running_mean", channels), name + ".running_var"];
            _weights.Add(inputs[4], new DenseTensor(new(channels), Enumerable.Range(0, channels).Select(_ => 0.5f + _random.NextSingle()).ToArray()));
            return Add(name, new BatchNormalization(epsilon), [.. inputs]);
        }

        public string Weight(string name, params int[] shape)
        {
            var tensor = new TensorShape(shape);
            _weights.Add(name, new DenseTensor(tensor, Enumerable.Range(0, (int)tensor.Count).Select(_ => _random.NextSingle() - 0.5f).ToArray()));
            return name;
        }

        public string Positive(string name)
        {
            _weights.Add(name, new DenseTensor(new(), new[] { 1.5f }));
            return name;
        }

        public string Quantized(string name, int d, int k, params int[] shape)
        {
            var tensor = new TensorShape(shape);
            float[] codebook = [.. Enumerable.Range(0, k * d).Select(_ => (float)(Half)(_random.NextSingle() - 0.5f))];
            ushort[] codes = [.. Enumerable.Range(0, (int)tensor.Count / d).Select(_ => (ushort)_random.Next(k))];
            _weights.Add(name, new QuantizedTensor(tensor, d, codebook, codes));
            return name;
        }

        public ModelGraph Build(string name, TensorShape input, TensorShape output) => new(
            name, new("input", input), [new(_nodes[^1].Output, output)], [.. _nodes], _weights, new Dictionary<string, string> { ["seed"] = $"{seed}" });
    }
}
