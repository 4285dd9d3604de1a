using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>Two branches with one weight and bias, that see different channels of the first layer; their outputs are joined.</summary>
internal static class TwinNetwork
{
    private static readonly (string, object)[] Pads = [("pads", new[] { 1, 1, 1, 1 })];

    /// <summary>The file; its output is y.</summary>
    /// <param name="width">The channels of each branch.</param>
    public static OnnxFile File(int width) => new OnnxFile()
        .Floats("w1", [2 * width, 3, 3, 3], OnnxFile.Noise(54 * width, 1)).Floats("w2", [width, width, 3, 3], OnnxFile.Noise(9 * width * width, 2)).Floats("bias", [width], OnnxFile.Noise(width, 3))
        .Floats("w3", [width, 2 * width, 3, 3], OnnxFile.Noise(18 * width * width, 4)).Ints("zero", 0).Ints("half", width).Ints("all", 2 * width).Ints("axis", 1)
        .Node("Conv", "input w1", "a", Pads).Node("Relu", "a", "r").Node("Slice", "r zero half axis", "x1").Node("Conv", "x1 w2 bias", "b1", Pads).Node("Relu", "b1", "s1")
        .Node("Slice", "r half all axis", "x2").Node("Conv", "x2 w2 bias", "b2", Pads).Node("Concat", "s1 b2", "c", ("axis", 1)).Node("Conv", "c w3", "y", Pads);
}
