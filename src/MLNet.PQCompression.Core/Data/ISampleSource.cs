using System.Collections.Immutable;

namespace MLNet.PQCompression.Data;

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

    /// <summary>The images left out so far because they cannot be used, in their order.</summary>
    IReadOnlyList<SkippedImage> Skipped => [];

    /// <summary>What a model that learns from these images has to remember of them, as entries of its file's metadata: how pictures became numbers.</summary>
    IReadOnlyDictionary<string, string> Metadata => ImmutableDictionary<string, string>.Empty;

    /// <summary>Reads the images from the first on, <paramref name="batchSize"/> at a time; the last batch may be smaller. A batch is valid until the next is asked for.</summary>
    IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default);
}
