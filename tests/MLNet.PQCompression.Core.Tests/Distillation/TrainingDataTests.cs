using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Tests.Distillation;

public class TrainingDataTests
{
    [Fact]
    public void An_epoch_visits_every_image_once_and_orders_differ()
    {
        TrainingSet set = TinyNetwork.Images(40);
        var stream = new BatchStream(set, 8, Augmentation.None, seed: 3);
        Assert.Equal(5, stream.BatchesPerEpoch);
        List<DrawnBatch> drawn = [.. stream.Read(0, 10)];
        List<int> first = [.. drawn.Take(5).SelectMany(b => Indices(set, b))], second = [.. drawn.Skip(5).SelectMany(b => Indices(set, b))];
        Assert.Equal(Enumerable.Range(0, 40), first.Order());
        Assert.Equal(Enumerable.Range(0, 40), second.Order());
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void Batches_do_not_depend_on_where_reading_starts()
    {
        var stream = new BatchStream(TinyNetwork.Images(20), 8, new() { CropPadding = 2, Flip = true }, seed: 3);
        List<DrawnBatch> all = [.. stream.Read(0, 5)], late = [.. stream.Read(3, 2)];
        Assert.Equal(all[3].Images, late[0].Images);
        Assert.Equal(all[4].Images, late[1].Images);
    }

    [Fact]
    public void A_small_set_makes_small_batches()
    {
        DrawnBatch batch = Assert.Single(new BatchStream(TinyNetwork.Images(3), 8, Augmentation.None, 0).Read(0, 1));
        Assert.Equal(3, batch.Count);
    }

    [Fact]
    public void Cancelling_ends_the_reading()
    {
        using var cancel = new CancellationTokenSource();
        var stream = new BatchStream(TinyNetwork.Images(8), 4, Augmentation.None, 0);
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (DrawnBatch _ in stream.Read(0, long.MaxValue / 2, cancel.Token))
                cancel.Cancel();
        });
    }

    [Fact]
    public void An_error_of_the_producer_reaches_the_reader()
    {
        static IEnumerable<int> Failing()
        {
            yield return 1;
            throw new InvalidDataException("bad");
        }

        var seen = new List<int>();
        Assert.Throws<InvalidDataException>(() =>
        {
            foreach (int i in Prefetch.Ahead(Failing(), 2, default))
                seen.Add(i);
        });
        Assert.Equal([1], seen);
    }

    [Fact]
    public void A_padded_crop_is_a_shift_with_zeros()
    {
        float[] image = [.. Enumerable.Range(1, 2 * 3 * 4).Select(i => (float)i)];
        var result = new float[image.Length];
        var shifts = new HashSet<(int, int)>();
        for (int seed = 0; seed < 200; seed++)
        {
            new Augmentation { CropPadding = 1 }.Apply(image, 2, 3, 4, new Random(seed), result);
            var random = new Random(seed);
            int dy = random.Next(-1, 2), dx = random.Next(-1, 2);
            shifts.Add((dy, dx));
            for (int c = 0; c < 2; c++)
                for (int y = 0; y < 3; y++)
                    for (int x = 0; x < 4; x++)
                    {
                        bool inside = y + dy is >= 0 and < 3 && x + dx is >= 0 and < 4;
                        Assert.Equal(inside ? image[(c * 3 + y + dy) * 4 + x + dx] : 0, result[(c * 3 + y) * 4 + x]);
                    }
        }
        Assert.Equal(9, shifts.Count);
    }

    [Fact]
    public void Half_of_the_images_are_mirrored()
    {
        float[] image = [1, 2, 3, 4, 5, 6], result = new float[6];
        int mirrored = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            new Augmentation { Flip = true }.Apply(image, 1, 2, 3, new Random(seed), result);
            Assert.True(result.SequenceEqual(image) || result.SequenceEqual([3, 2, 1, 6, 5, 4]));
            mirrored += result[0] == 3 ? 1 : 0;
        }
        Assert.InRange(mirrored, 150, 250);
    }

    [Fact]
    public void A_resized_crop_of_a_ramp_is_a_gentler_ramp()
    {
        const int Size = 16;
        float[] ramp = [.. Enumerable.Range(0, Size * Size).Select(i => (float)(i % Size))], result = new float[ramp.Length];
        for (int seed = 0; seed < 50; seed++)
        {
            new Augmentation { ResizedCropArea = 0.3f }.Apply(ramp, 1, Size, Size, new Random(seed), result);
            float slope = result[9] - result[8];
            Assert.InRange(slope, Math.Sqrt(0.3 * 0.75) - 1e-3, 1 + 1e-3);
            Assert.All(Enumerable.Range(2, Size - 5), x => Assert.Equal(slope, result[5 * Size + x + 1] - result[5 * Size + x], 1e-3));
            Assert.InRange(result.Min(), 0, Size - 1);
            Assert.InRange(result.Max(), 0, Size - 1);
        }
    }

    [Fact]
    public void A_mixed_image_lies_between_two_images_of_the_set()
    {
        TrainingSet set = TinyNetwork.Images(12);
        int mixed = 0;
        var weights = new List<double>();
        foreach (DrawnBatch batch in new BatchStream(set, 6, new() { MixedShare = 0.5f }, seed: 5).Read(0, 40))
            for (int n = 0; n < batch.Count; n++)
            {
                float[] own = set.Image(batch.Indices[n]).ToArray(), drawn = batch.Images[(n * set.ImageLength)..((n + 1) * set.ImageLength)];
                if (drawn.SequenceEqual(own))
                    continue;
                mixed++;
                (double weight, double error) = Enumerable.Range(0, set.Count).Where(i => i != batch.Indices[n])
                    .Select(i => Share(own, set.Image(i).ToArray(), drawn)).MinBy(s => s.Error);
                Assert.InRange(error, 0, 1e-5);
                Assert.InRange(weight, -1e-5, 1 + 1e-5);
                weights.Add(weight);
            }
        Assert.InRange(mixed, 80, 140); // of 240, half; a twelfth of those meet themselves
        Assert.InRange(weights.Average(), 0.4, 0.6);
    }

    /// <summary>The w of (1 − w)·a + w·b nearest to x, and how far from it.</summary>
    private static (double Weight, double Error) Share(float[] a, float[] b, float[] x)
    {
        double w = a.Zip(b, (p, q) => (double)(q - p)).Zip(x.Zip(a, (p, q) => (double)(p - q)), (d, e) => d * e).Sum() / a.Zip(b, (p, q) => (double)(q - p) * (q - p)).Sum();
        return (w, Enumerable.Range(0, a.Length).Max(i => Math.Abs(a[i] + w * (b[i] - a[i]) - x[i])));
    }

    private static IEnumerable<int> Indices(TrainingSet set, DrawnBatch batch) => Enumerable.Range(0, batch.Count).Select(n =>
        Enumerable.Range(0, set.Count).Single(i => set.Image(i).SequenceEqual(batch.Images.AsSpan(n * set.ImageLength, set.ImageLength))));
}
