using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>A network for the tiny network's images as detectors are: two sizes of maps, a map enlarged and joined, and one list of boxes and scores as output.</summary>
internal static class TinyDetector
{
    public static ModelGraph Teacher { get; } = Build(foreign: false, front: false);

    /// <summary>The teacher with operators without a kernel behind its two levels, and a layer behind these.</summary>
    public static ModelGraph WithForeignNodes { get; } = Build(foreign: true, front: false);

    /// <summary>The same with such an operator between the image and the first layer too, which halves the values.</summary>
    public static ModelGraph BehindForeignNodes { get; } = Build(foreign: true, front: true);

    /// <summary>A teacher with the inner convolution quantized by codewords that are off.</summary>
    public static ModelGraph Student(ModelGraph teacher)
    {
        Initializer weight = teacher.Initializers["down.weight"];
        float[] codebook = [.. weight.ToDense().Span[..(12 * 9)].ToArray().Select(v => (float)(Half)v)];
        var random = new Random(3);
        ushort[] codes = [.. Enumerable.Range(0, 12 * 8).Select(_ => (ushort)random.Next(12))];
        return teacher.WithInitializers([KeyValuePair.Create<string, Initializer>("down.weight", new QuantizedTensor(weight.Shape, 9, codebook, codes))]);
    }

    private static ModelGraph Build(bool foreign, bool front)
    {
        var initializers = new Dictionary<string, Initializer>();
        Node Conv(string name, string input, int inputs, int outputs, int kernel, int stride, int seed)
        {
            initializers[name + ".weight"] = new DenseTensor(new(outputs, inputs, kernel, kernel), GradientCheck.Values(outputs * inputs * kernel * kernel, seed, 0.4f));
            initializers[name + ".bias"] = new DenseTensor(new(outputs), GradientCheck.Values(outputs, seed + 100, 0.1f));
            return new(name, new Conv(MLNet.PQCompression.Graph.Window.Square(kernel, stride, kernel / 2)), [input, name + ".weight", name + ".bias"], name);
        }

        initializers["stretch"] = new DenseTensor(new(1), new[] { 8f });
        Node[] typed =
        [
            Conv("stem", front ? "prepared" : "image", 3, 8, 3, 2, 1), new("stem.relu", new Unary(UnaryFunction.Relu), ["stem"], "fine"),
            Conv("down", "fine", 8, 12, 3, 2, 2), new("down.relu", new Unary(UnaryFunction.Relu), ["down"], "coarse"),
            new("up", new Resize(Interpolation.Nearest, ResizeCoordinates.Asymmetric, ResizeRounding.Floor, [1, 1, 2, 2], []), ["coarse"], "enlarged"),
            new("join", new Concat(1), ["enlarged", "fine"], "joined"),
            Conv("box1", "joined", 20, 4, 1, 1, 3), Conv("score1", "joined", 20, 3, 1, 1, 4), Conv("box2", "coarse", 12, 4, 1, 1, 5), Conv("score2", "coarse", 12, 3, 1, 1, 6),
        ];
        Node[] tail =
        [
            new("p1", new Unary(UnaryFunction.Sigmoid), ["score1"], "p1"), new("p2", new Unary(UnaryFunction.Sigmoid), ["score2"], "p2"),
            new("c1", new Concat(1), ["box1", "p1"], "c1"), new("c2", new Concat(1), ["box2", "p2"], "c2"),
            new("r1", new Reshape([0, 7, 36]), ["c1"], "r1"), new("r2", new Reshape([0, 7, 9]), ["c2"], "r2"),
            new("cells", new Concat(2), ["r1", "r2"], "cells"), new("rows", new Transpose([0, 2, 1]), ["cells"], "rows"),
            new("stretch", new Binary(BinaryFunction.Mul), ["rows", "stretch"], "boxes"),
        ];
        Node[] prepare = [new("prepare", new Foreign("Half", "", "there is no kernel for it"), ["image"], "prepared")];
        Node[] behind =
        [
            new("regions", new Foreign("RoiAlign", "", "there is no kernel for it"), ["coarse", "boxes"], "regions"),
            Conv("last", "regions", 12, 5, 3, 1, 7),
        ];
        return new("tiny detector", new("image", new(-1, 3, 12, 12)), [new(foreign ? "last" : "boxes", default)], [.. front ? prepare : [], .. typed, .. tail, .. foreign ? behind : []], initializers);
    }
}
