using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>The images that statistics are taken from, as far as this rank has them: those of the source and, where they are few, changed views of them.</summary>
internal sealed class CalibrationImages
{
    /// <summary>Floats of one image batch at the input, about; batches bound what a layer's evaluation takes at once.</summary>
    private const int BatchFloats = 1 << 20;

    private CalibrationImages(WorkParts parts, StoredActivation[] batches, BatchPlace[] places, int images, int views, int perView) =>
        (Parts, Batches, Places, Images, Views, BatchesPerView) = (parts, batches, places, images, views, perView);

    /// <summary>How the images are shared.</summary>
    public WorkParts Parts { get; }

    /// <summary>This rank's batches: part after part, and in each the images and then their views.</summary>
    public StoredActivation[] Batches { get; }

    /// <summary>Where each of <see cref="Batches"/> stands among those of all ranks.</summary>
    public BatchPlace[] Places { get; }

    /// <summary>How many images all ranks have.</summary>
    public int Images { get; }

    /// <summary>How often each is looked at.</summary>
    public int Views { get; }

    /// <summary>Batches of all ranks that hold the images as they are.</summary>
    public int BatchesPerView { get; }

    /// <summary>A number that tells a batch from all others of all ranks.</summary>
    public int NumberOf(int batch) => Places[batch].View * BatchesPerView + Places[batch].Index;

    /// <summary>Reads up to a number of images, views included, into a store.</summary>
    /// <param name="images">The images.</param>
    /// <param name="most">Images of all ranks at most.</param>
    /// <param name="options">Views, seed and who shares the work.</param>
    /// <param name="store">Keeps them.</param>
    /// <param name="fixedBatch">Images of each batch, or null for any number.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="ArgumentException">There are none, or work that is shared does not know how many.</exception>
    /// <exception cref="InvalidDataException">One holds values that are not finite.</exception>
    public static CalibrationImages Read(ISampleSource images, int most, CompressionOptions options, ActivationStore store, int? fixedBatch, CancellationToken cancellationToken)
    {
        var parts = new WorkParts(options.Collective);
        int length = images.Channels * images.Height * images.Width, batchSize = fixedBatch ?? Math.Clamp(BatchFloats / length, 1, 256);
        int places = parts.IsShared ? Math.Min(most, images.Places ?? throw new ArgumentException("Work that ranks share needs a source that knows how many images it has.", nameof(images))) : most;
        if (parts.IsShared && fixedBatch is null)
            batchSize = Math.Clamp((places + parts.Count - 1) / parts.Count, 1, batchSize);
        int planned = (places + batchSize - 1) / batchSize, count = 0;
        var own = new List<(StoredActivation Batch, BatchPlace Place)>();
        for (int part = parts.First; part < parts.End; part++)
        {
            (int first, int end) = parts.Range(part, planned);
            (first, end) = (first * batchSize, Math.Min(end * batchSize, places));
            int next = first / batchSize;
            foreach (SampleBatch batch in parts.IsShared ? images.ReadPlaces(first, end - first, batchSize, cancellationToken) : images.Read(batchSize, cancellationToken))
            {
                int taken = Math.Min(batch.Count, most - count);
                if (fixedBatch > taken && (count > 0 || part > 0))
                    break;
                FiniteImages.Require(batch, length, taken);
                if (taken > 0)
                    own.Add((store.Add(new(new(taken, images.Channels, images.Height, images.Width), batch.Data[..(taken * length)].ToArray())), new(part, 0, next++)));
                count += taken;
                if (count >= most)
                    break;
            }
        }
        Span<double> total = [count];
        parts.Total(total);
        count = (int)total[0];
        if (count == 0)
            throw new ArgumentException("There are no images to take statistics from.", nameof(images));
        int views = ViewsOf(options, count, most);
        (StoredActivation Batch, BatchPlace Place)[] viewed = [.. Enumerable.Range(1, views - 1).SelectMany(view => own.Select(o =>
            (store.Add(Changed(o.Batch.Load(), SeedSequence.At(options.Seed, -view, o.Place.Index))), o.Place with { View = view })))];
        (StoredActivation Batch, BatchPlace Place)[] all = [.. own.Concat(viewed).OrderBy(b => b.Place.Part)];
        return new(parts, [.. all.Select(b => b.Batch)], [.. all.Select(b => b.Place)], count, views, parts.IsShared ? planned : own.Count);
    }

    /// <summary>How often each of so many images is looked at.</summary>
    public static int ViewsOf(CompressionOptions options, int images, int most) => options.Method == CompressionMethod.Output ? Math.Min(options.Views, Math.Max(1, most / images)) : 1;

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

/// <summary>Where a batch stands among those of all ranks.</summary>
/// <param name="Part">The part of the work that it belongs to.</param>
/// <param name="View">0 for the images as they are, else the number of the changed view.</param>
/// <param name="Index">Its place among the batches of one view, the same in every view.</param>
internal readonly record struct BatchPlace(int Part, int View, int Index);
