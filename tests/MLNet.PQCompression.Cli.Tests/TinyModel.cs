using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>A classifier of small images into four classes, with random weights, and images of 12×12 for it.</summary>
internal static class TinyModel
{
    public const int Side = 12;
    public const int Classes = 4;

    public static ModelGraph Create(int seed = 1, int classes = Classes, int side = Side)
    {
        var random = new Random(seed);
        var initializers = new Dictionary<string, Initializer>();
        var nodes = ImmutableArray.CreateBuilder<Node>();
        string value = "image";
        value = ConvBlock("conv1", value, 3, 8, 3);
        value = ConvBlock("conv2", value, 8, 16, 3);
        value = ConvBlock("conv3", value, 16, 32, 1);
        nodes.Add(new("pool", new GlobalAveragePool(), [value], "pooled"));
        nodes.Add(new("flatten", new Flatten(), ["pooled"], "features"));
        Weight("fc.weight", classes, 32);
        initializers.Add("fc.bias", new DenseTensor(new(classes), new float[classes]));
        nodes.Add(new("fc", new Gemm(TransposeB: true), ["features", "fc.weight", "fc.bias"], "logits"));
        return new("tiny", new("image", new(-1, 3, side, side)), [new("logits", new(-1, classes))], nodes.ToImmutable(), initializers);

        string ConvBlock(string name, string input, int channels, int outputs, int kernel)
        {
            Weight($"{name}.weight", outputs, channels, kernel, kernel);
            nodes.Add(new(name, new Conv(Window.Square(kernel, 1, kernel / 2)), [input, $"{name}.weight"], $"{name}.out"));
            foreach ((string part, float mean) in (ReadOnlySpan<(string, float)>)[("scale", 1), ("bias", 0), ("mean", 0), ("variance", 1)])
                initializers.Add($"{name}.bn.{part}", new DenseTensor(new(outputs), Enumerable.Range(0, outputs).Select(_ => mean + 0.1f * random.NextSingle()).ToArray()));
            nodes.Add(new($"{name}.bn", new BatchNormalization(), [$"{name}.out", .. new[] { "scale", "bias", "mean", "variance" }.Select(p => $"{name}.bn.{p}")], $"{name}.norm"));
            nodes.Add(new($"{name}.relu", new Unary(UnaryFunction.Relu), [$"{name}.norm"], $"{name}.relu.out"));
            return $"{name}.relu.out";
        }

        void Weight(string name, params int[] shape)
        {
            var data = new float[shape.Aggregate(1, (a, b) => a * b)];
            float scale = 2f / MathF.Sqrt(data.Length / shape[0]);
            foreach (ref float w in data.AsSpan())
                w = scale * (2 * random.NextSingle() - 1);
            initializers.Add(name, new DenseTensor(new(shape), data));
        }
    }

    /// <summary>Writes PPM images of random smooth colours into class folders and returns the folder.</summary>
    public static string WriteImages(string folder, int perClass = 6)
    {
        var random = new Random(7);
        for (int c = 0; c < Classes; c++)
            for (int i = 0; i < perClass; i++)
                WriteImage(System.IO.Path.Combine(Directory.CreateDirectory(System.IO.Path.Combine(folder, $"class{c}")).FullName, $"{i:00}.ppm"), random);
        return folder;
    }

    private static void WriteImage(string path, Random random)
    {
        double[] slope = [.. Enumerable.Range(0, 6).Select(_ => random.NextDouble() * 20 - 10)];
        double[] level = [.. Enumerable.Range(0, 3).Select(_ => 60 + 130 * random.NextDouble())];
        using FileStream file = File.Create(path);
        file.Write("P6 12 12 255\n"u8);
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
                for (int channel = 0; channel < 3; channel++)
                    file.WriteByte((byte)Math.Clamp(level[channel] + slope[channel] * (x - 6) + slope[channel + 3] * (y - 6), 0, 255));
    }
}
