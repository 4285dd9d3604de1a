using System.Numerics;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Saving;

/// <summary>
/// The scores of a row of a loaded chain, cut in slices whose sizes are powers of two. A custom mapping's columns have the sizes of its attributes and no
/// others; slices concatenated, the largest first, make a vector of any size.
/// </summary>
internal sealed class SavedScores
{
    private const string Prefix = "__pq.scores";
    private const int Slices = 15;

    private float[] _image = [];
    private float[] _scores = [];

    /// <summary>The most scores that slices can make.</summary>
    public const int MaxCount = (1 << Slices) - 1;

    /// <summary>All slices.</summary>
    public static IEnumerable<string> AllColumns => Enumerable.Range(0, Slices).Select(i => Prefix + (1 << i));

    /// <summary>The name of the predicted class, empty where there is none.</summary>
    [ColumnName(InnerColumns.Class)]
    public ReadOnlyMemory<char> Class { get; set; }

    [ColumnName(Prefix + "1"), VectorType(1)]
    public float[]? S1 { get; set; }

    [ColumnName(Prefix + "2"), VectorType(2)]
    public float[]? S2 { get; set; }

    [ColumnName(Prefix + "4"), VectorType(4)]
    public float[]? S4 { get; set; }

    [ColumnName(Prefix + "8"), VectorType(8)]
    public float[]? S8 { get; set; }

    [ColumnName(Prefix + "16"), VectorType(16)]
    public float[]? S16 { get; set; }

    [ColumnName(Prefix + "32"), VectorType(32)]
    public float[]? S32 { get; set; }

    [ColumnName(Prefix + "64"), VectorType(64)]
    public float[]? S64 { get; set; }

    [ColumnName(Prefix + "128"), VectorType(128)]
    public float[]? S128 { get; set; }

    [ColumnName(Prefix + "256"), VectorType(256)]
    public float[]? S256 { get; set; }

    [ColumnName(Prefix + "512"), VectorType(512)]
    public float[]? S512 { get; set; }

    [ColumnName(Prefix + "1024"), VectorType(1024)]
    public float[]? S1024 { get; set; }

    [ColumnName(Prefix + "2048"), VectorType(2048)]
    public float[]? S2048 { get; set; }

    [ColumnName(Prefix + "4096"), VectorType(4096)]
    public float[]? S4096 { get; set; }

    [ColumnName(Prefix + "8192"), VectorType(8192)]
    public float[]? S8192 { get; set; }

    [ColumnName(Prefix + "16384"), VectorType(16384)]
    public float[]? S16384 { get; set; }

    /// <summary>The columns that make up <paramref name="count"/> scores, the largest first.</summary>
    public static IEnumerable<string> ColumnsOf(int count) => SizesOf(count).Select(size => Prefix + size);

    /// <summary>Room for a network's input, kept from row to row.</summary>
    public Span<float> ImageBuffer(int length) => Take(ref _image, length);

    /// <summary>Room for a network's scores, kept from row to row.</summary>
    public Span<float> ScoreBuffer(int length) => Take(ref _scores, length);

    /// <summary>Cuts scores in slices.</summary>
    public void Set(ReadOnlySpan<float> scores)
    {
        foreach (int size in SizesOf(scores.Length))
        {
            float[] slice = this[size] ??= new float[size];
            scores[..size].CopyTo(slice);
            scores = scores[size..];
        }
    }

    private float[]? this[int size]
    {
        get => size switch
        {
            1 => S1,
            2 => S2,
            4 => S4,
            8 => S8,
            16 => S16,
            32 => S32,
            64 => S64,
            128 => S128,
            256 => S256,
            512 => S512,
            1024 => S1024,
            2048 => S2048,
            4096 => S4096,
            8192 => S8192,
            16384 => S16384,
            _ => throw new ArgumentOutOfRangeException(nameof(size)),
        };
        set => _ = size switch
        {
            1 => S1 = value,
            2 => S2 = value,
            4 => S4 = value,
            8 => S8 = value,
            16 => S16 = value,
            32 => S32 = value,
            64 => S64 = value,
            128 => S128 = value,
            256 => S256 = value,
            512 => S512 = value,
            1024 => S1024 = value,
            2048 => S2048 = value,
            4096 => S4096 = value,
            8192 => S8192 = value,
            16384 => S16384 = value,
            _ => throw new ArgumentOutOfRangeException(nameof(size)),
        };
    }

    private static Span<float> Take(ref float[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new float[length];
        return buffer.AsSpan(0, length);
    }

    private static IEnumerable<int> SizesOf(int count)
    {
        for (int rest = count; rest > 0;)
        {
            int size = 1 << BitOperations.Log2((uint)rest);
            yield return size;
            rest -= size;
        }
    }
}
