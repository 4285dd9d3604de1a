using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests;

/// <summary>A small ConvNet with fixed random weights, and images for it.</summary>
internal static class TestNetwork
{
    public const int Channels = 3, Side = 8, Length = Channels * Side * Side;

    public static readonly string[] Classes = ["ant", "bee", "cow", "dog", "emu"];

    /// <summary>Conv 3×3 to 16 → BatchNorm → ReLU → Conv 3×3 to 32 → ReLU → mean → Gemm to 5.</summary>
    public static ModelGraph Graph(bool withClasses = true, bool endsInSoftmax = false)
    {
        var random = new Random(7);
        Dictionary<string, Initializer> weights = new()
        {
            ["conv1.weight"] = Random(random, 0.5, 16, Channels, 3, 3),
            ["bn1.weight"] = Random(random, 1, 16), ["bn1.bias"] = Random(random, 1, 16), ["bn1.mean"] = Random(random, 1, 16),
            ["bn1.var"] = new DenseTensor(new(16), Enumerable.Range(0, 16).Select(i => 0.5f + i / 16f).ToArray()),
            ["conv2.weight"] = Random(random, 0.3, 32, 16, 3, 3),
            ["fc.weight"] = Random(random, 1, 5, 32), ["fc.bias"] = Random(random, 1, 5),
        };
        List<Node> nodes =
        [
            new("conv1", new Conv(Window.Square(3, pad: 1)), ["image", "conv1.weight"], "a"),
            new("bn1", new BatchNormalization(), ["a", "bn1.weight", "bn1.bias", "bn1.mean", "bn1.var"], "b"),
            new("relu1", new Unary(UnaryFunction.Relu), ["b"], "c"),
            new("conv2", new Conv(Window.Square(3, stride: 2, pad: 1)), ["c", "conv2.weight"], "d"),
            new("relu2", new Unary(UnaryFunction.Relu), ["d"], "e"),
            new("pool", new GlobalAveragePool(), ["e"], "f"),
            new("flatten", new Flatten(), ["f"], "g"),
            new("fc", new Gemm(TransposeB: true), ["g", "fc.weight", "fc.bias"], "logits"),
        ];
        if (endsInSoftmax)
            nodes.Add(new("softmax", new Softmax(1), ["logits"], "probabilities"));
        string output = nodes[^1].Output;
        Dictionary<string, string> metadata = withClasses ? new([ClassNames.ToMetadata(Classes)]) : [];
        return new("small", new("image", new(-1, Channels, Side, Side)), [new(output, new(-1, 5))], [.. nodes], weights, metadata);
    }

    /// <summary>Writes a network to a file.</summary>
    public static string Save(this ModelGraph graph, TemporaryFolder folder, string name = "small.onnx")
    {
        string path = folder.File(name);
        OnnxWriter.Write(graph, path);
        return path;
    }

    /// <summary>Pixels 0 to 255 of an image, C×H×W.</summary>
    public static float[] Pixels(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Length).Select(_ => (float)random.Next(256))];
    }

    /// <summary>The same pixels as an image.</summary>
    public static RgbImage Image(int seed)
    {
        float[] planes = Pixels(seed);
        return new(Side, Side, [.. Enumerable.Range(0, Length).Select(i => (byte)planes[i % 3 * Side * Side + i / 3])]);
    }

    private static DenseTensor Random(Random random, double scale, params int[] shape) =>
        new(new(shape), Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale)).ToArray());
}
