using MLNet.PQCompression.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public sealed class ImageSampleSourceTests : IDisposable
{
    private static readonly ImagePreprocessing Plain = new() { Width = 2, Height = 1, Mean = [0f, 0f, 0f], Std = [1f, 1f, 1f] };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(7, 2, 0)]
    [InlineData(7, 2, 1 << 20)]
    [InlineData(100, 8, 0)]
    public void Images_come_in_order_however_many_threads_decode(int batchSize, int threads, int cache)
    {
        using ImageSource images = Open(50);
        var source = new ImageSampleSource(images, Plain, new() { Threads = threads, CacheBytes = cache });

        Assert.Equal((3, 1, 2, 50), (source.Channels, source.Height, source.Width, source.Count));
        for (int pass = 0; pass < 2; pass++)
        {
            int next = 0;
            foreach (SampleBatch batch in source.Read(batchSize))
            {
                Assert.Equal(Math.Min(batchSize, 50 - next), batch.Count);
                for (int i = 0; i < batch.Count; i++, next++)
                {
                    Assert.Equal(images.Images[next].Name, batch.Names[i]);
                    Assert.Equal(next / 25, batch.Labels[i]);
                    Assert.All(batch.Data.Slice(i * 6, 6).ToArray(), value => Assert.Equal(next / 255f, value));
                }
            }
            Assert.Equal(50, next);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Bad_images_are_skipped_and_reported_once(int cache)
    {
        using ImageSource images = Open(20, bad: [0, 7, 8, 19]);
        var reported = new List<BadImage>();
        var source = new ImageSampleSource(images, Plain, new() { OnBadImage = OnBadImage.Skip, BadImages = new Reports(reported), CacheBytes = cache });

        for (int pass = 0; pass < 2; pass++)
        {
            int[] counts = [.. source.Read(5).Select(b => b.Count)];
            Assert.Equal([5, 5, 5, 1], counts);
        }
        Assert.Equal([images.Images[0].Name, images.Images[7].Name, images.Images[8].Name, images.Images[19].Name], reported.Select(b => b.Name));
        Assert.All(reported, bad => Assert.Contains(bad.Name, bad.Error.Message));
        Assert.Equal(reported.Select(b => (b.Name, b.Error.Message)), source.Skipped.Select(s => (s.Name, s.Reason)));
        Assert.Equal(16, source.Count);
    }

    [Fact]
    public void Places_do_not_move_where_an_image_is_bad()
    {
        using ImageSource images = Open(20, bad: [0, 7, 8, 19]);
        var source = new ImageSampleSource(images, Plain, new() { OnBadImage = OnBadImage.Skip });

        Assert.Equal(20, source.Places);
        Assert.Equal([5, 6, 9], source.ReadPlaces(5, 5, 2).SelectMany(b => b.Names).Select(n => images.Images.Select(i => i.Name).ToList().IndexOf(n)));
        Assert.Equal([2, 1], source.ReadPlaces(5, 5, 2).Select(b => b.Count));
        Assert.Equal(20, source.Places);
        Assert.Empty(source.ReadPlaces(7, 2, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => source.ReadPlaces(15, 6, 4));
    }

    [Fact]
    public void A_bad_image_is_fatal_unless_told_otherwise()
    {
        using ImageSource images = Open(10, bad: [6]);
        var source = new ImageSampleSource(images, Plain);
        int seen = 0;

        InvalidImageException e = Assert.Throws<InvalidImageException>(() =>
        {
            foreach (SampleBatch batch in source.Read(2))
                seen += batch.Count;
        });
        Assert.Equal(6, seen);
        Assert.Contains(images.Images[6].Name, e.Message);
    }

    [Fact]
    public void Reading_can_be_cancelled_and_abandoned()
    {
        using ImageSource images = Open(50);
        var source = new ImageSampleSource(images, Plain);
        using var cancel = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (SampleBatch _ in source.Read(3, cancel.Token))
                cancel.Cancel();
        });
        Assert.Equal(3, source.Read(3).First().Count);
        Assert.Equal(50, source.Read(50).Single().Count);
    }

    [Fact]
    public void Two_readers_do_not_disturb_each_other()
    {
        using ImageSource images = Open(30);
        var source = new ImageSampleSource(images, Plain, new() { CacheBytes = 0 });

        foreach ((SampleBatch a, SampleBatch b) in source.Read(4).Zip(source.Read(4)))
            Assert.Equal(a.Data.ToArray(), b.Data.ToArray());
    }

    [Fact]
    public void An_image_that_cannot_be_resized_is_named()
    {
        _folder.Write("long.pgm", [.. "P5 300000 1 255 "u8, .. new byte[300_000]]);
        using var images = ImageSource.Open(_folder.Path);
        var source = new ImageSampleSource(images, Plain with { Resize = ResizeMode.ShortSide, ShortSide = 512 });

        Assert.Contains("long.pgm", Assert.Throws<InvalidImageException>(() => source.Read(1).Count()).Message);
    }

    [Fact]
    public void Wrong_arguments_are_refused_at_once()
    {
        using ImageSource images = Open(2);

        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageSampleSource(images, Plain).Read(0));
        Assert.Throws<ArgumentException>(() => new ImageSampleSource(images, Plain with { Std = [1f] }));
    }

    private ImageSource Open(int count, int[]? bad = null)
    {
        for (int i = 0; i < count; i++)
            _folder.Write($"{(i < (count + 1) / 2 ? "a" : "b")}/{i:D3}.pgm", bad?.Contains(i) == true ? [1, 2] : TemporaryFolder.Pixel((byte)i));
        return ImageSource.Open(_folder.Path);
    }

    private sealed class Reports(List<BadImage> list) : IProgress<BadImage>
    {
        public void Report(BadImage value) => list.Add(value);
    }
}
