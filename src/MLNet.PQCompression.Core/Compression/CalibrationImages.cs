using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>The images that statistics are taken from: those of the source and, where they are few, changed views of them.</summary>
internal static class CalibrationImages
{
    /// <summary>Floats of one image batch at the input, about; batches bound what a layer's evaluation takes at once.</summary>
    private const int BatchFloats = 1 << 20;

    /// <summary>Reads up to a number of images, views included, into a store.</summary>
    /// <returns>The images and then their views, and how many images there are.</returns>
    /// <exception cref="ArgumentException">There are none.</exception>
    /// <exception cref="InvalidDataException">One holds values that are not finite.</exception>
    public static (StoredActivation[] Batches, int Images) Read(ISampleSource images, int most, CompressionOptions options, ActivationStore store, int? fixedBatch, CancellationToken cancellationToken)
    {
        int length = images.Channels * images.Height * images.Width;
        int batchSize = fixedBatch ?? Math.Clamp(BatchFloats / length, 1, 256), count = 0;
        var batches = new List<StoredActivation>();
        foreach (SampleBatch batch in images.Read(batchSize, cancellationToken))
        {
            int taken = Math.Min(batch.Count, most - count);
            if (fixedBatch > taken && count > 0)
                break;
            FiniteImages.Require(batch, length, taken);
            if (taken > 0)
                batches.Add(store.Add(new(new(taken, images.Channels, images.Height, images.Width), batch.Data[..(taken * length)].ToArray())));
            count += taken;
            if (count >= most)
                break;
        }
        if (count == 0)
            throw new ArgumentException("There are no images to take statistics from.", nameof(images));
        int views = Views(options, count, most), own = batches.Count;
        for (int i = own; i < own * views; i++)
            batches.Add(store.Add(Changed(batches[i % own].Load(), SeedSequence.At(options.Seed, -(i / own), i % own))));
        return ([.. batches], count);
    }

    /// <summary>How often each of so many images is looked at.</summary>
    public static int Views(CompressionOptions options, int images, int most) => options.Method == CompressionMethod.Output ? Math.Min(options.Views, Math.Max(1, most / images)) : 1;

    private static Activation Changed(Activation batch, Random random)
    {
        (int channels, int height, int width) = (batch.Shape[1], batch.Shape[2], batch.Shape[3]);
        int length = channels * height * width;
        var changed = new float[batch.Shape.Count];
        var augmentation = Augmentation.For(height, width);
        for (int i = 0; i < batch.Shape[0]; i++)
            augmentation.Apply(batch.Span.Slice(i * length, length), channels, height, width, random, changed.AsSpan(i * length, length));
        return new(batch.Shape, changed);
    }
}
