using System.Collections.Concurrent;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Images;

/// <summary>The images of a source as a model's input: decoded ahead by several threads, preprocessed, in the source's order.</summary>
public sealed class ImageSampleSource : ISampleSource
{
    private readonly ImageSource _source;
    private readonly ImagePreprocessing _preprocessing;
    private readonly ImageSampleOptions _options;
    private readonly PixelNormalizer _normalizer;
    private readonly TaskFactory _decoders;
    private readonly byte[]?[]? _cache;
    private readonly ConcurrentDictionary<int, BadImage> _bad = new();

    /// <summary>Reads a source; the source stays the caller's to dispose.</summary>
    /// <exception cref="ArgumentException">The preprocessing contradicts itself.</exception>
    public ImageSampleSource(ImageSource source, ImagePreprocessing preprocessing, ImageSampleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(preprocessing);
        _source = source;
        _preprocessing = preprocessing;
        _options = options ?? new();
        _normalizer = new(preprocessing);
        ArgumentOutOfRangeException.ThrowIfNegative(_options.Threads, nameof(options));
        int threads = _options.Threads > 0 ? _options.Threads : Environment.ProcessorCount;
        _decoders = new(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler);
        Prefetch = 4 * threads + 4;
        if (3L * preprocessing.Width * preprocessing.Height * source.Count <= _options.CacheBytes)
            _cache = new byte[]?[source.Count];
    }

    /// <inheritdoc/>
    public int Channels => _preprocessing.Channels;

    /// <inheritdoc/>
    public int Height => _preprocessing.Height;

    /// <inheritdoc/>
    public int Width => _preprocessing.Width;

    /// <summary>The images of the source, less those already found bad.</summary>
    public int? Count => _source.Count - _bad.Count;

    /// <summary>The images of the source, bad ones among them.</summary>
    public int? Places => _source.Count;

    /// <inheritdoc/>
    public IReadOnlyList<SkippedImage> Skipped => [.. _source.LeftOut, .. _bad.OrderBy(p => p.Key).Select(p => new SkippedImage(p.Value.Name, p.Value.Error.Message))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>([_preprocessing.ToMetadata()]);

    /// <summary>How many images are decoded ahead of the reader.</summary>
    private int Prefetch { get; }

    /// <inheritdoc/>
    /// <exception cref="InvalidImageException">An image is bad and <see cref="OnBadImage.Fail"/> is chosen; the message names it.</exception>
    public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return ReadBatches(0, _source.Count, batchSize, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidImageException">An image is bad and <see cref="OnBadImage.Fail"/> is chosen; the message names it.</exception>
    public IEnumerable<SampleBatch> ReadPlaces(int first, int count, int batchSize, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + (long)count, _source.Count, nameof(count));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return ReadBatches(first, first + count, batchSize, cancellationToken);
    }

    private IEnumerable<SampleBatch> ReadBatches(int first, int end, int batchSize, CancellationToken cancellationToken)
    {
        int length = _preprocessing.Length, count = 0;
        var data = new float[checked(Math.Min(batchSize, end - first) * length)];
        var names = new List<string>();
        var labels = new List<int>();
        foreach ((int index, byte[] pixels) in ReadFrames(first, end, cancellationToken))
        {
            _normalizer.Normalize(pixels, data.AsSpan(count * length, length));
            names.Add(_source.Images[index].Name);
            labels.Add(_source.Images[index].Label);
            if (++count < batchSize)
                continue;
            yield return new(data.AsMemory(0, count * length), count, [.. names], [.. labels]);
            count = 0;
            names.Clear();
            labels.Clear();
        }
        if (count > 0)
            yield return new(data.AsMemory(0, count * length), count, [.. names], [.. labels]);
    }

    /// <summary>The good images' pixels at the model's size, in order.</summary>
    private IEnumerable<(int Index, byte[] Pixels)> ReadFrames(int first, int end, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ahead = new Queue<Task<Frame>>();
        try
        {
            int next = first;
            for (int index = first; index < end; index++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (; next < Math.Min(end, index + Prefetch); next++)
                    ahead.Enqueue(Start(next, stop.Token));
                Frame frame = ahead.Dequeue().GetAwaiter().GetResult();
                if (frame.Error is { } error)
                    Report(index, error);
                else
                    yield return (index, frame.Pixels!);
            }
        }
        finally
        {
            // A reader that stops early must not leave decoders at work on a source that may be closed next.
            stop.Cancel();
            Task.WhenAll(ahead).ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait(CancellationToken.None);
        }
    }

    private Task<Frame> Start(int index, CancellationToken stop)
    {
        if (_cache?[index] is { } cached)
            return Task.FromResult(new Frame(cached, null));
        if (_bad.TryGetValue(index, out BadImage? bad))
            return Task.FromResult(new Frame(null, bad.Error));
        return _decoders.StartNew(() => Load(index), stop);
    }

    private Frame Load(int index)
    {
        try
        {
            RgbImage image = ImageDecoder.Decode(_source.Read(index), _options.Decoder);
            byte[] pixels = _preprocessing.Frame(image).Pixels;
            if (_cache is not null)
                _cache[index] = pixels;
            return new(pixels, null);
        }
        catch (InvalidImageException e)
        {
            return new(null, _source.Named(index, e));
        }
    }

    private void Report(int index, InvalidImageException error)
    {
        if (_options.OnBadImage == OnBadImage.Fail)
            throw error;
        var bad = new BadImage(_source.Images[index].Name, error);
        if (_bad.TryAdd(index, bad))
            _options.BadImages?.Report(bad);
    }

    /// <summary>A decoded image, or what is wrong with it.</summary>
    private readonly record struct Frame(byte[]? Pixels, InvalidImageException? Error);
}
