using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Distillation.Data;

/// <summary>Preprocessed images held in memory, to be drawn in any order: 4·C·H·W bytes each.</summary>
public sealed class TrainingSet
{
    private readonly float[][] _images;
    private readonly int[] _labels;

    private TrainingSet(ISampleSource source, List<float[]> images, List<int> labels, string hash)
    {
        (Channels, Height, Width) = (source.Channels, source.Height, source.Width);
        _images = [.. images];
        _labels = [.. labels];
        ContentHash = hash;
    }

    /// <summary>C of every image.</summary>
    public int Channels { get; }

    /// <summary>H of every image.</summary>
    public int Height { get; }

    /// <summary>W of every image.</summary>
    public int Width { get; }

    /// <summary>How many images there are.</summary>
    public int Count => _images.Length;

    /// <summary>Values of one image.</summary>
    public int ImageLength => Channels * Height * Width;

    /// <summary>SHA-256 of the images and labels in order, in hexadecimal.</summary>
    public string ContentHash { get; }

    /// <summary>Whether every image has a label.</summary>
    public bool IsLabelled => _labels.All(l => l >= 0);

    /// <summary>An image, plane after plane.</summary>
    public ReadOnlySpan<float> Image(int index) => _images[index];

    /// <summary>The class of an image, or -1.</summary>
    public int Label(int index) => _labels[index];

    /// <summary>Reads the images of a source.</summary>
    /// <param name="source">The images.</param>
    /// <param name="maxImages">The most to take, from the first on.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ArgumentException">The source is empty, or its images do not fit into memory.</exception>
    /// <exception cref="InvalidDataException">An image holds values that are not finite.</exception>
    public static TrainingSet Load(ISampleSource source, int maxImages = int.MaxValue, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxImages);
        CheckRoom(source, maxImages);
        var images = new List<float[]>();
        var labels = new List<int>();
        int length = source.Channels * source.Height * source.Width;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (SampleBatch batch in source.Read(256, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            FiniteImages.Require(batch, length, batch.Count);
            for (int i = 0; i < batch.Count && images.Count < maxImages; i++)
            {
                images.Add(batch.Data.Span.Slice(i * length, length).ToArray());
                labels.Add(batch.Labels[i]);
                hash.AppendData(MemoryMarshal.AsBytes<float>(images[^1]));
                hash.AppendData(MemoryMarshal.AsBytes<int>([labels[^1]]));
            }
            if (images.Count >= maxImages)
                break;
        }
        if (images.Count == 0)
            throw new ArgumentException("There are no images to train on.", nameof(source));
        return new(source, images, labels, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void CheckRoom(ISampleSource source, int maxImages)
    {
        double needed = 4.0 * source.Channels * source.Height * source.Width * Math.Min(maxImages, source.Count ?? 0);
        double available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * 0.75;
        if (needed > available)
            throw new ArgumentException(
                FormattableString.Invariant($"{Math.Min(maxImages, source.Count ?? 0)} images of {source.Channels}×{source.Height}×{source.Width} take {needed / (1 << 30):F1} GiB where {available / (1 << 30):F1} can be used; train on fewer."),
                nameof(source));
    }
}
