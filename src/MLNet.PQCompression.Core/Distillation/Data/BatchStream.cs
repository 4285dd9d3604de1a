using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation.Data;

/// <summary>A batch as drawn: images, possibly changed, with their labels. Its arrays are its own.</summary>
/// <param name="Images">Count·C·H·W values.</param>
/// <param name="Labels">The class of each image, or -1.</param>
/// <param name="Count">The number of images.</param>
public sealed record DrawnBatch(float[] Images, int[] Labels, int Count)
{
    /// <summary>The place of each image in its set.</summary>
    public int[] Indices { get; init; } = [];

    /// <summary>Images in the batch of all ranks; <see cref="Count"/> where one process has it.</summary>
    public int Total { get; init; } = Count;

    /// <summary>The place of the first image in the batch of all ranks.</summary>
    public int First { get; init; }
}

/// <summary>Endless shuffled batches of a <see cref="TrainingSet"/>, epoch after epoch, drawn ahead on a background thread.</summary>
/// <remarks>Batch i is a function of the seed and i alone, so a run can be taken up anywhere. Each epoch leaves out what does not fill its last batch.</remarks>
/// <param name="set">The images.</param>
/// <param name="batchSize">Images in a batch; fewer where the set is smaller.</param>
/// <param name="augmentation">The random changes.</param>
/// <param name="seed">The seed of order and changes.</param>
public sealed class BatchStream(TrainingSet set, int batchSize, Augmentation augmentation, int seed)
{
    /// <summary>Images in a batch.</summary>
    public int BatchSize { get; } = Math.Min(batchSize, set.Count);

    /// <summary>Batches in an epoch.</summary>
    public int BatchesPerEpoch => set.Count / BatchSize;

    /// <summary>The batches from the one numbered <paramref name="first"/> on, <paramref name="count"/> of them.</summary>
    /// <param name="first">The number of the first batch.</param>
    /// <param name="count">The number of batches.</param>
    /// <param name="cancellationToken">Ends the drawing.</param>
    /// <param name="share">Which images of each batch are drawn, or null for all.</param>
    public IEnumerable<DrawnBatch> Read(long first, long count, CancellationToken cancellationToken = default, BatchShare? share = null) =>
        Prefetch.Ahead(Draw(first, count, share?.Own(BatchSize) ?? (0, BatchSize)), depth: 2, cancellationToken);

    private IEnumerable<DrawnBatch> Draw(long first, long count, (int First, int End) own)
    {
        long drawnEpoch = -1;
        int[] order = [];
        for (long i = first; i < first + count; i++)
        {
            long epoch = i / BatchesPerEpoch;
            if (epoch != drawnEpoch)
            {
                order = [.. Enumerable.Range(0, set.Count)];
                SeedSequence.At(seed, epoch).Shuffle(order);
                drawnEpoch = epoch;
            }
            int drawn = own.End - own.First;
            var images = new float[drawn * set.ImageLength];
            var labels = new int[drawn];
            int start = (int)(i % BatchesPerEpoch) * BatchSize + own.First;
            for (int n = 0; n < drawn; n++)
            {
                int index = order[start + n];
                labels[n] = set.Label(index);
                Random random = SeedSequence.At(seed, i + 1, own.First + n + 1);
                Span<float> image = images.AsSpan(n * set.ImageLength, set.ImageLength);
                Change(index, random, image);
                if (augmentation.MixedShare > 0 && random.NextDouble() < augmentation.MixedShare)
                    Blend(random.Next(set.Count), random, image);
            }
            yield return new(images, labels, drawn) { Indices = order[start..(start + drawn)], Total = BatchSize, First = own.First };
        }
    }

    private void Change(int index, Random random, Span<float> result) => augmentation.Apply(set.Image(index), set.Channels, set.Height, set.Width, random, result);

    private void Blend(int index, Random random, Span<float> image)
    {
        var other = new float[image.Length];
        Change(index, random, other);
        TensorPrimitives.Lerp(image, other, random.NextSingle(), image);
    }
}
