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

    /// <summary>How many images there are, those that cannot be used among them, where that is known without reading them.</summary>
    int? Places => Count;

    /// <summary>The images left out so far because they cannot be used, in their order.</summary>
    IReadOnlyList<SkippedImage> Skipped => [];

    /// <summary>What a model that learns from these images has to remember of them, as entries of its file's metadata: how pictures became numbers.</summary>
    IReadOnlyDictionary<string, string> Metadata => ImmutableDictionary<string, string>.Empty;

    /// <summary>Reads the images from the first on, <paramref name="batchSize"/> at a time; the last batch may be smaller. A batch is valid until the next is asked for.</summary>
    IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default);

    /// <summary>Reads the images at some of the <see cref="Places"/>, as <see cref="Read"/> does. One that cannot be used is left out, and no other takes its place.</summary>
    /// <param name="first">The first place, from 0.</param>
    /// <param name="count">The number of places.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <remarks>A source that cannot begin anywhere reads what comes before, as this does.</remarks>
    IEnumerable<SampleBatch> ReadPlaces(int first, int count, int batchSize, CancellationToken cancellationToken = default)
    {
        if (count == 0)
            yield break;
        var (data, names, labels) = (new List<float>(), new List<string>(), new List<int>());
        int length = Channels * Height * Width, place = 0;
        foreach (SampleBatch batch in Read(batchSize, cancellationToken))
            for (int i = 0; i < batch.Count; i++, place++)
            {
                if (place < first)
                    continue;
                data.AddRange(batch.Data.Span.Slice(i * length, length));
                names.Add(batch.Names[i]);
                labels.Add(batch.Labels[i]);
                bool isLast = place == first + count - 1;
                if (names.Count == batchSize || isLast)
                {
                    yield return new(data.ToArray(), names.Count, [.. names], [.. labels]);
                    data.Clear();
                    names.Clear();
                    labels.Clear();
                }
                if (isLast)
                    yield break;
            }
        if (names.Count > 0)
            yield return new(data.ToArray(), names.Count, names, labels);
    }
}
