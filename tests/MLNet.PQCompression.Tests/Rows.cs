using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLNet.PQCompression.Tests;

/// <summary>A row with pixels as ExtractPixels gives them.</summary>
public sealed class PixelRow
{
    [VectorType(TestNetwork.Channels, TestNetwork.Side, TestNetwork.Side)]
    public float[] Image { get; set; } = [];

    public string Name { get; set; } = "";

    public string Class { get; set; } = "";

    public static PixelRow[] Make(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new PixelRow { Image = TestNetwork.Pixels(i), Name = $"image {i}", Class = TestNetwork.Classes[i % 5] })];

    /// <summary>The shape of a schema of such rows, by way of an estimator that makes their columns.</summary>
    public static SchemaShape Shape() =>
        new MLContext().Transforms.CustomMapping<None, PixelRow>((_, _) => { }, null, null, SchemaDefinition.Create(typeof(PixelRow))).GetOutputSchema(new SchemaShape([]));

    private sealed class None;
}

/// <summary>A row with pixels, pixel after pixel.</summary>
public sealed class InterleavedRow
{
    [VectorType(TestNetwork.Side, TestNetwork.Side, TestNetwork.Channels)]
    public float[] Image { get; set; } = [];
}

/// <summary>A row with pixels whose order the type does not tell.</summary>
public sealed class FlatRow
{
    [VectorType(TestNetwork.Length)]
    public float[] Image { get; set; } = [];
}

/// <summary>A row with an encoded image.</summary>
public sealed class EncodedRow
{
    public byte[] Image { get; set; } = [];
}

/// <summary>A row with a path.</summary>
public sealed class PathRow
{
    public string Image { get; set; } = "";

    public string Label { get; set; } = "";
}

/// <summary>A row with an image of ML.NET.</summary>
public sealed class ImageRow
{
    [ImageType(TestNetwork.Side, TestNetwork.Side)]
    public MLImage? Image { get; set; }

    /// <summary>ML.NET saves no schema of image columns alone.</summary>
    public string Name { get; set; } = "";
}

/// <summary>What scoring gives.</summary>
public sealed class ScoreRow
{
    public float[] Score { get; set; } = [];

    public uint PredictedLabel { get; set; }
}
