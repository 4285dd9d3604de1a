using System.Collections.Immutable;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

/// <summary>A classifier whose right answer is an image's colour, and images of one colour each, so that every wrong label shows.</summary>
internal static class ColourModel
{
    public const int Classes = 12;

    /// <summary>Preprocessing under which pixels are values in [0, 1].</summary>
    public static readonly string[] Plain = ["--mean", "0,0,0", "--std", "1,1,1"];

    private static readonly int[][] Colours =
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255], [0, 0, 0], [255, 255, 255], [127, 0, 0], [0, 127, 0], [0, 0, 127], [127, 127, 127]];

    /// <summary>Writes the model: 2c·x − |c|² of the mean colour x is highest for the nearest colour c.</summary>
    public static string Write(string path, IReadOnlyList<string>? names = null)
    {
        float[] weight = [.. Colours.SelectMany(c => c.Select(v => 20 * v / 255f))], bias = [.. Colours.Select(c => -10 * c.Sum(v => v / 255f * (v / 255f)))];
        var graph = new ModelGraph(
            "colours", new("image", new(-1, 3, 8, 8)), [new("logits", new(-1, Classes))],
            [new("pool", new GlobalAveragePool(), ["image"], "pooled"), new("flat", new Flatten(), ["pooled"], "mean"), new("fc", new Gemm(TransposeB: true), ["mean", "fc.weight", "fc.bias"], "logits")],
            new Dictionary<string, Initializer> { ["fc.weight"] = new DenseTensor(new(Classes, 3), weight), ["fc.bias"] = new DenseTensor(new(Classes), bias) },
            names is null ? null : new Dictionary<string, string>([ClassNames.ToMetadata(names)]));
        OnnxWriter.Write(graph, path);
        return path;
    }

    /// <summary>Writes an image of a class's colour as PPM.</summary>
    public static void WriteImage(string path, int index)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [.. "P6 8 8 255\n"u8, .. Enumerable.Repeat(Colours[index].Select(v => (byte)v), 64).SelectMany(p => p)]);
    }
}
