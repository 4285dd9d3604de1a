using Microsoft.ML.Data;
using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Scoring;

/// <summary>Detections as the values of columns.</summary>
internal static class DetectionVectors
{
    /// <summary>Left, top, right and bottom of each.</summary>
    public static VBuffer<float> Boxes(IReadOnlyList<Detection> found) =>
        Of([.. found.SelectMany(d => new[] { (float)d.Box.Left, (float)d.Box.Top, (float)d.Box.Right, (float)d.Box.Bottom })]);

    /// <summary>The scores.</summary>
    public static VBuffer<float> Scores(IReadOnlyList<Detection> found) => Of([.. found.Select(d => d.Score)]);

    /// <summary>The keys of the labels.</summary>
    public static VBuffer<uint> Keys(IReadOnlyList<Detection> found, DetectionModel model) => Of([.. found.Select(d => model.KeyOf(d.Label))]);

    /// <summary>The names of the labels; empty where one has none.</summary>
    public static VBuffer<ReadOnlyMemory<char>> Names(IReadOnlyList<Detection> found, DetectionModel model) =>
        Of([.. found.Select(d => model.KeyOf(d.Label) is > 0 and var key ? model.Names[(int)key - 1].AsMemory() : default)]);

    /// <summary>Height·width bytes for each, row by row: 1 where a pixel is the object's.</summary>
    public static VBuffer<byte> Masks(IReadOnlyList<Detection> found) => Of([.. found.SelectMany(d => d.Mask?.ToPixels() ?? [])]);

    private static VBuffer<T> Of<T>(T[] values) => new(values.Length, values);
}
