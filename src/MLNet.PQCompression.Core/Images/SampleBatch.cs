namespace MLNet.PQCompression.Images;

/// <summary>Some preprocessed images, N×C×H×W float32.</summary>
/// <param name="Data">Count·C·H·W values; image after image, plane after plane. May be longer than needed.</param>
/// <param name="Count">The number of images.</param>
/// <param name="Names">What each image is called, for messages; Count of them.</param>
/// <param name="Labels">The class index of each image, or -1 where it is not known; Count of them.</param>
public sealed record SampleBatch(ReadOnlyMemory<float> Data, int Count, IReadOnlyList<string> Names, IReadOnlyList<int> Labels);

/// <summary>A sequence of preprocessed images that can be read any number of times, always in the same order.</summary>
public interface ISampleSource
{
    /// <summary>C, the channels of every image.</summary>
    int Channels { get; }

    /// <summary>H, the rows of every image.</summary>
    int Height { get; }

    /// <summary>W, the columns of every image.</summary>
    int Width { get; }

    /// <summary>How many images there are, where that is known without reading them.</summary>
    int? Count { get; }

    /// <summary>Reads the images from the first on, <paramref name="batchSize"/> at a time; the last batch may be smaller. A batch is valid until the next is asked for.</summary>
    IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default);
}
