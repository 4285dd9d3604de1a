using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Inference;

/// <summary>Builds small graphs with random weights.</summary>
internal sealed class GraphMaker(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, Initializer> _initializers = [];

    /// <summary>Adds a node and returns the name of its output.</summary>
    public string Add(Operator op, params string[] inputs)
    {
        string name = $"n{_nodes.Count}";
        _nodes.Add(new(name, op, [.. inputs], name + ".out"));
        return name + ".out";
    }

    /// <summary>A convolution; with a block size the weight is product-quantized.</summary>
    public string Conv(string x, int inputs, int outputs, Window window, int group = 1, bool bias = false, int blockSize = 0, int codewords = 16)
    {
        string weight = Weight(blockSize, codewords, outputs, inputs / group, window.KernelHeight, window.KernelWidth);
        return bias ? Add(new Conv(window, group), x, weight, Dense(outputs)) : Add(new Conv(window, group), x, weight);
    }

    public string Normalize(string x, int channels)
    {
        string variance = Dense(channels);
        var values = _initializers[variance].ToDense().ToArray();
        for (int i = 0; i < values.Length; i++)
            values[i] = MathF.Abs(values[i]) + 0.5f;
        _initializers[variance] = new DenseTensor(new(channels), values);
        return Add(new BatchNormalization(), x, Dense(channels), Dense(channels), Dense(channels), variance);
    }

    public string Relu(string x) => Add(new Unary(UnaryFunction.Relu), x);

    public string Linear(string x, int inputs, int outputs, int blockSize = 0, int codewords = 16) =>
        Add(new Gemm(TransposeB: true), x, Weight(blockSize, codewords, outputs, inputs), Dense(outputs));

    public string Weight(int blockSize, int codewords, params int[] shape)
    {
        if (blockSize == 0)
            return Dense(shape);
        var tensor = new TensorShape(shape);
        float scale = Scale(shape);
        float[] codebook = [.. Enumerable.Range(0, codewords * blockSize).Select(_ => (float)(Half)((_random.NextSingle() * 2 - 1) * scale))];
        ushort[] codes = [.. Enumerable.Range(0, (int)(tensor.Count / blockSize)).Select(_ => (ushort)_random.Next(codewords))];
        return Add(new QuantizedTensor(tensor, blockSize, codebook, codes));
    }

    public string Dense(params int[] shape)
    {
        var tensor = new TensorShape(shape);
        float scale = Scale(shape);
        return Add(new DenseTensor(tensor, Enumerable.Range(0, (int)tensor.Count).Select(_ => (_random.NextSingle() * 2 - 1) * scale).ToArray()));
    }

    public ModelGraph Build(string output, params int[] imageShape) =>
        new("test", new("x", new([-1, .. imageShape])), [new(output, new())], [.. _nodes], _initializers);

    private string Add(Initializer initializer)
    {
        string name = $"w{_initializers.Count}";
        _initializers.Add(name, initializer);
        return name;
    }

    /// <summary>Keeps activations near one through many layers.</summary>
    private static float Scale(int[] shape) => shape.Length < 2 ? 1 : MathF.Sqrt(3f / shape.Skip(1).Aggregate(1, (p, d) => p * d));
}
