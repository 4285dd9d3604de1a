using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Budget;

/// <summary>The first samples of a source.</summary>
internal sealed class FirstSamples(ISampleSource source, int most) : ISampleSource
{
    /// <inheritdoc/>
    public int Channels => source.Channels;

    /// <inheritdoc/>
    public int Height => source.Height;

    /// <inheritdoc/>
    public int Width => source.Width;

    /// <inheritdoc/>
    public int? Count => source.Count is { } count ? Math.Min(count, most) : null;

    /// <inheritdoc/>
    public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
    {
        int read = 0;
        foreach (SampleBatch batch in source.Read(Math.Min(batchSize, most), cancellationToken))
        {
            int taken = Math.Min(batch.Count, most - read);
            yield return taken == batch.Count ? batch : new(batch.Data, taken, [.. batch.Names.Take(taken)], [.. batch.Labels.Take(taken)]);
            if ((read += taken) >= most)
                yield break;
        }
    }
}
